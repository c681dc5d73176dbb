CREATE TABLE child_reviews (
    id ID NOT NULL,
    contact ID NOT NULL,
    place TEXT NOT NULL,
    age INT NOT NULL,
    state TEXT NOT NULL,
    closed BOOL NOT NULL,
    told_at TIME,
    opened_at TIME NOT NULL,
    decided_by ID,
    ended_at TIME,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX child_reviews_by_place ON child_reviews (contact, place);
CREATE INDEX child_reviews_by_state ON child_reviews (state, opened_at);
CREATE INDEX child_reviews_by_end ON child_reviews (ended_at);

CREATE TABLE child_settings (
    id INT NOT NULL,
    strict BOOL NOT NULL,
    changed_at TIME NOT NULL,
    PRIMARY KEY (id)
);
