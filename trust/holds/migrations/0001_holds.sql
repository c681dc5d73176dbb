CREATE TABLE legal_holds (
    id ID NOT NULL,
    contact ID NOT NULL,
    ground TEXT NOT NULL,
    classes SEALED,
    conversations SEALED,
    keeper ID NOT NULL,
    author ID,
    placed_at TIME NOT NULL,
    review_at TIME NOT NULL,
    released_at TIME,
    released_by ID,
    PRIMARY KEY (id)
);
CREATE INDEX legal_holds_by_time ON legal_holds (placed_at, id);
CREATE INDEX legal_holds_by_release ON legal_holds (released_at);

CREATE TABLE legal_hold_people (
    contact ID NOT NULL,
    hold ID NOT NULL,
    PRIMARY KEY (contact, hold)
);
CREATE INDEX legal_hold_people_by_hold ON legal_hold_people (hold);

CREATE TABLE legal_hold_gates (
    person ID NOT NULL,
    erasing BOOL NOT NULL,
    moved_at TIME NOT NULL,
    PRIMARY KEY (person)
);
CREATE INDEX legal_hold_gates_by_time ON legal_hold_gates (moved_at);

CREATE TABLE legal_hold_reasons (
    hold ID NOT NULL,
    keeper ID NOT NULL,
    reason SEALED,
    PRIMARY KEY (hold)
);
CREATE INDEX legal_hold_reasons_by_keeper ON legal_hold_reasons (keeper);

CREATE TABLE legal_hold_rows (
    hold ID NOT NULL,
    class TEXT NOT NULL,
    place TEXT NOT NULL,
    keeper ID NOT NULL,
    content SEALED,
    held_at TIME NOT NULL,
    PRIMARY KEY (hold, class, place)
);
CREATE INDEX legal_hold_rows_by_keeper ON legal_hold_rows (keeper);

CREATE TABLE legal_hold_files (
    hold ID NOT NULL,
    original ID NOT NULL,
    keeper ID NOT NULL,
    file ID,
    held_at TIME NOT NULL,
    PRIMARY KEY (hold, original)
);
CREATE INDEX legal_hold_files_by_keeper ON legal_hold_files (keeper);
