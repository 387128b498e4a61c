-- The mail of two domains, as in table-sqlite(5).

CREATE TABLE domains (
	name	TEXT PRIMARY KEY
);
CREATE TABLE users (
	name	TEXT PRIMARY KEY,	-- the user's own name
	login	TEXT UNIQUE,
	hash	TEXT,			-- by smtpctl encrypt
	uid	INTEGER NOT NULL,
	gid	INTEGER NOT NULL,
	home	TEXT NOT NULL
);
CREATE TABLE aliases (
	address	  TEXT NOT NULL,
	recipient TEXT NOT NULL,
	PRIMARY KEY (address, recipient)
);

INSERT INTO domains VALUES ('example.org'), ('example.net');

-- alice's password is `secret', bob has none yet
INSERT INTO users VALUES
	('alice', 'alice@example.org',
	 '$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1',
	 5000, 5000, '/var/vmail/alice'),
	('bob', 'bob@example.net', NULL, 5000, 5000, '/var/vmail/bob');

INSERT INTO aliases VALUES
	('alice@example.org', 'alice'),
	('bob@example.net', 'bob'),
	('team@example.org', 'alice'),		-- two recipients
	('team@example.org', 'bob'),
	('alice+shop@example.org', 'bob'),	-- one tag that is not alice's
	('@example.net', 'bob'),		-- all the rest of a domain
	('postmaster', 'alice');		-- in every domain
