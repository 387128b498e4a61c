CREATE TABLE domains (name TEXT PRIMARY KEY);
CREATE TABLE aliases (address TEXT, destination TEXT);
CREATE TABLE users (login TEXT PRIMARY KEY, password TEXT, uid, gid, home TEXT);
INSERT INTO domains VALUES ('example.org'), ('*.example.net');
INSERT INTO aliases VALUES ('root', 'alice@example.org'),
    ('root', 'bob@example.org'), ('@example.org', 'catchall@example.org'),
    ('empty', '');
INSERT INTO users VALUES ('alice@example.org', '$6$salt$hash', 5000, 5001, '/mail/alice'),
    ('crypt@example.org', '{SHA512-CRYPT}$6$salt$hash', '5002', 5002, '/mail/crypt'),
    ('text@example.org', NULL, 'root', 0, '/root');
