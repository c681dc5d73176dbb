CREATE TABLE webchat_settings (
    id INT NOT NULL,
    settings SEALED,
    updated_at TIME NOT NULL,
    PRIMARY KEY (id)
);
