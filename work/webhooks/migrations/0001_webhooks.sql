CREATE TABLE webhooks (
    id ID NOT NULL,
    url SEALED,
    about SEALED,
    events SEALED,
    secrets SEALED,
    state TEXT NOT NULL,
    failures INT NOT NULL,
    paused_until TIME,
    delivered_at TIME,
    created_at TIME NOT NULL,
    disabled_at TIME,
    PRIMARY KEY (id)
);

CREATE TABLE webhook_deliveries (
    id ID NOT NULL,
    webhook ID NOT NULL,
    event TEXT NOT NULL,
    body SEALED,
    state TEXT NOT NULL,
    step INT NOT NULL,
    attempts INT NOT NULL,
    code INT NOT NULL,
    fault TEXT NOT NULL,
    next_at TIME,
    tried_at TIME,
    created_at TIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook, state, next_at);
CREATE INDEX webhook_deliveries_by_time ON webhook_deliveries (webhook, created_at, id);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (created_at);
CREATE INDEX webhook_deliveries_open ON webhook_deliveries (state, next_at);
