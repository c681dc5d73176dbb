CREATE TABLE idempotency_keys (
    id TEXT NOT NULL,
    request TEXT NOT NULL,
    answer SEALED,
    claimed_at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (claimed_at);
