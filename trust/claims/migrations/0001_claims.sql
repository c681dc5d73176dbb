CREATE TABLE claim_runs (
    claim TEXT NOT NULL,
    seq INT NOT NULL,
    measured_at TIME NOT NULL,
    state TEXT NOT NULL,
    changed BOOL NOT NULL,
    took_us INT NOT NULL,
    evidence SEALED,
    fault SEALED,
    PRIMARY KEY (claim, seq)
);
CREATE INDEX claim_runs_by_time ON claim_runs (measured_at);
