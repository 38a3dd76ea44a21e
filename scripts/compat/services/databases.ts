/** PostgreSQL, MariaDB, Redis and OpenLDAP from Debian's packages, as nobody, with data of their own. */

import { spawnSync } from "node:child_process";
import { chownSync, globSync, mkdirSync, writeFileSync } from "node:fs";
import { asNobody, type Lab } from "../lab.ts";

const NOBODY = 65534;
const POSTGRES_PORT = 5432;
const MARIADB_PORT = 3306;
const REDIS_PORT = 6379;
const LDAP_PORT = 3890;

function makeDataDirectory(lab: Lab, name: string): string {
  const directory = lab.dir.file(name);
  mkdirSync(directory, { mode: 0o700 });
  chownSync(directory, NOBODY, NOBODY);
  return directory;
}

function mustRun(command: string[]): void {
  const [program = "", ...args] = asNobody(command);
  const done = spawnSync(program, args, {
    encoding: "utf8",
    cwd: "/",
    env: { PATH: "/usr/bin:/bin" },
  });
  if (done.status !== 0) throw new Error(`${command[0]}: ${done.stderr || done.stdout}`);
}

/** `postgres.example`: user and database `postgres`, no password. */
export function startPostgres(lab: Lab): Promise<unknown> {
  return lab.once("postgres", async () => {
    const directory = makeDataDirectory(lab, "postgres");
    const [bin = ""] = globSync("/usr/lib/postgresql/*/bin");
    mustRun([`${bin}/initdb`, "-D", directory, "-A", "trust", "-U", "postgres", "--no-sync"]);
    const options = [`-p${POSTGRES_PORT}`, "-c", "listen_addresses=127.0.0.1", "-k", directory];
    lab.route("postgres.example:5432", POSTGRES_PORT);
    return await lab.startDaemon(
      asNobody([`${bin}/postgres`, "-D", directory, ...options]),
      POSTGRES_PORT,
    );
  });
}

/** `mysql.example`: any user, no password. */
export function startMariadb(lab: Lab): Promise<unknown> {
  return lab.once("mariadb", async () => {
    const directory = makeDataDirectory(lab, "mariadb");
    const data = `--datadir=${directory}`;
    mustRun([
      "mariadb-install-db",
      "--no-defaults",
      data,
      `--tmpdir=${directory}`,
      "--skip-test-db",
    ]);
    const where = ["--bind-address=127.0.0.1", `--port=${MARIADB_PORT}`, `--socket=${directory}/s`];
    lab.route("mysql.example:3306", MARIADB_PORT);
    const daemon = ["/usr/sbin/mariadbd", "--no-defaults", data, "--skip-grant-tables", ...where];
    return await lab.startDaemon(asNobody(daemon), MARIADB_PORT);
  });
}

/** `redis.example`. */
export function startRedis(lab: Lab): Promise<unknown> {
  return lab.once("redis", async () => {
    const directory = makeDataDirectory(lab, "redis");
    const options = ["--port", `${REDIS_PORT}`, "--bind", "127.0.0.1", "--save", "", "--dir"];
    lab.route("redis.example:6379", REDIS_PORT);
    return await lab.startDaemon(asNobody(["redis-server", ...options, directory]), REDIS_PORT);
  });
}

const LDIF = `dn: dc=example
objectClass: dcObject
objectClass: organization
dc: example
o: hello from ldap
`;

/** `ldap.example`: one entry, `dc=example`. */
export function startLdap(lab: Lab): Promise<unknown> {
  return lab.once("ldap", async () => {
    const directory = makeDataDirectory(lab, "ldap");
    const conf = lab.dir.file("slapd.conf");
    const lines = [
      "include /etc/ldap/schema/core.schema",
      "modulepath /usr/lib/ldap",
      "moduleload back_mdb",
      `pidfile ${directory}/pid`,
      "database mdb",
      "maxsize 10485760",
      'suffix "dc=example"',
      `directory ${directory}`,
    ];
    writeFileSync(conf, `${lines.join("\n")}\n`);
    writeFileSync(lab.dir.file("ldif"), LDIF);
    mustRun(["/usr/sbin/slapadd", "-f", conf, "-l", lab.dir.file("ldif")]);
    lab.route("ldap.example:389", LDAP_PORT);
    const daemon = [
      "/usr/sbin/slapd",
      "-f",
      conf,
      "-h",
      `ldap://127.0.0.1:${LDAP_PORT}/`,
      "-d",
      "0",
    ];
    return await lab.startDaemon(asNobody(daemon), LDAP_PORT);
  });
}
