CREATE TABLE residency (
    id INT NOT NULL,
    region TEXT NOT NULL,
    since TIME NOT NULL,
    PRIMARY KEY (id)
);

CREATE TABLE regions (
    region TEXT NOT NULL,
    url SEALED,
    PRIMARY KEY (region)
);
