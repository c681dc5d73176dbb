ALTER TABLE people ADD COLUMN rank INT NOT NULL DEFAULT 0;
ALTER TABLE people ADD COLUMN note SEALED;
DROP INDEX people_by_state;
CREATE INDEX people_by_rank
    ON people (rank, id);
DROP TABLE notes;
