CREATE TABLE legal_entities (
    id INT NOT NULL,
    name SEALED,
    address SEALED,
    country SEALED,
    email SEALED,
    representative SEALED,
    officer SEALED,
    officer_email SEALED,
    officer_place SEALED,
    authority SEALED,
    authority_url SEALED,
    updated_at TIME NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE assessment_answers (
    question TEXT NOT NULL,
    answer SEALED,
    author ID,
    answered_at TIME NOT NULL,
    PRIMARY KEY (question)
);

CREATE TABLE notice_versions (
    version INT NOT NULL,
    hash TEXT NOT NULL,
    since TIME NOT NULL,
    PRIMARY KEY (version)
);
