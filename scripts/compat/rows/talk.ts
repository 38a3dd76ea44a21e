/** Databases, directories, chat and messages. */

import { mkdirSync, writeFileSync } from "node:fs";
import { type Command, type Row, shell } from "../row.ts";
import type { Lab } from "../lab.ts";
import { startLdap, startMariadb, startPostgres, startRedis } from "../services/databases.ts";
import { IRC_WELCOME, startIrc, startMqtt, startWhois } from "../services/talk.ts";

function talks(
  names: Omit<Row, "command">,
  start: (lab: Lab) => Promise<unknown>,
  command: Command,
): Row {
  return {
    ...names,
    async command(lab) {
      await start(lab);
      return command;
    },
  };
}

export const TALK_ROWS: Row[] = [
  talks(
    {
      program: "psql",
      packages: ["postgresql-client", "postgresql"],
      action: "a query",
      asks: ["postgres.example:5432"],
    },
    startPostgres,
    {
      argv: ["psql", "-h", "postgres.example", "-U", "postgres", "-Atc", "select 6 * 7"],
      prints: "42",
    },
  ),
  talks(
    {
      program: "mysql",
      packages: ["mariadb-client", "mariadb-server-core"],
      action: "a query",
      asks: ["mysql.example:3306"],
    },
    startMariadb,
    { argv: ["mysql", "-h", "mysql.example", "-u", "root", "-Ne", "select 6 * 7"], prints: "42" },
  ),
  talks(
    {
      program: "redis-cli",
      packages: ["redis-tools", "redis-server"],
      action: "set and get",
      asks: ["redis.example:6379"],
    },
    startRedis,
    {
      argv: ["redis-cli", "-h", "redis.example"],
      input: "set word hello\nget word\n",
      prints: "hello",
    },
  ),
  talks(
    {
      program: "ldapsearch",
      packages: ["ldap-utils", "slapd"],
      action: "a search",
      asks: ["ldap.example:389"],
    },
    startLdap,
    {
      argv: ["ldapsearch", "-x", "-H", "ldap://ldap.example", "-b", "dc=example"],
      prints: "o: hello from ldap",
    },
  ),
  talks(
    {
      program: "mosquitto_pub, mosquitto_sub",
      packages: ["mosquitto-clients", "mosquitto"],
      action: "a message there and back",
      asks: ["mqtt.example:1883"],
    },
    startMqtt,
    {
      argv: shell(
        "mosquitto_pub -h mqtt.example -t t -r -m hello && mosquitto_sub -h mqtt.example -t t -C 1 -W 5",
      ),
      prints: "hello",
    },
  ),
  talks(
    {
      program: "whois",
      packages: ["whois"],
      action: "a question to a server of choice",
      asks: ["whois.example:43"],
    },
    startWhois,
    { argv: ["whois", "-h", "whois.example", "word"], prints: "whois of word" },
  ),
  {
    program: "irssi",
    packages: ["irssi", "ngircd"],
    action: "connects and is welcomed",
    asks: ["irc.example:6667"],
    async command(lab, dir) {
      await startIrc(lab);
      mkdirSync(dir.file("irssi"));
      writeFileSync(dir.file("irssi/config"), "");
      // irssi wants a terminal, and somebody who types /quit
      const irssi = `irssi --home=${dir.file("irssi")} -n compat -c irc.example`;
      const typing = "sleep 6; printf '/quit\\r'; sleep 1";
      return {
        argv: shell(`(${typing}) | script -qec '${irssi}' /dev/null`),
        prints: IRC_WELCOME,
      };
    },
  },
];
