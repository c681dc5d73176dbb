CREATE TABLE residency (
    id INT NOT NULL,
    region TEXT NOT NULL,
    since TIME NOT NULL,
    PRIMARY KEY (id)
);
