CREATE TABLE improvement_settings (
    name TEXT NOT NULL,
    enabled BOOL NOT NULL,
    changed_at TIME NOT NULL,
    PRIMARY KEY (name)
);

CREATE TABLE improvement_sets (
    id ID NOT NULL,
    author ID,
    state TEXT NOT NULL,
    made_at TIME NOT NULL,
    ended_at TIME,
    looked INT NOT NULL,
    people INT NOT NULL,
    transcripts INT NOT NULL,
    messages INT NOT NULL,
    rare INT NOT NULL,
    alike INT NOT NULL,
    shared INT NOT NULL,
    recall INT NOT NULL,
    structured INT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX improvement_sets_by_time ON improvement_sets (made_at, id);

CREATE TABLE improvement_transcripts (
    id ID NOT NULL,
    part_of ID NOT NULL,
    content SEALED,
    made_at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX improvement_transcripts_by_set ON improvement_transcripts (part_of, id);
CREATE INDEX improvement_transcripts_by_time ON improvement_transcripts (made_at);
