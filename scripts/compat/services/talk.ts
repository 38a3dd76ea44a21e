/** Servers of lines and messages: a greeting, whois, DNS over TCP, IRC, MQTT, and one for iperf3. */

import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { startServer } from "../../../tests/helpers/local_servers.ts";
import { asNobody, type Lab, NAME_SERVER } from "../lab.ts";

export const GREETING = "greeting of telnet.example";
export const IRC_WELCOME = "Welcome to the Internet Relay Network";

const IRC_PORT = 6667;
const MQTT_PORT = 1883;
const PERF_PORT = 5201;

/** `telnet.example`: greets, and ends when the other side has said a line. */
export function startGreeter(lab: Lab): Promise<unknown> {
  return startLines(lab, "telnet.example:23", (socket) => {
    socket.write(`${GREETING}\r\n`);
    socket.once("data", () => socket.end("bye\r\n"));
  });
}

/** `whois.example`: answers the question with itself. */
export function startWhois(lab: Lab): Promise<unknown> {
  return startLines(lab, "whois.example:43", (socket) => {
    socket.once("data", (line) => socket.end(`whois of ${line}`));
  });
}

/** `NAME_SERVER:53`, by TCP alone: any name has the one record `MX 10 mail.web.example`. */
export function startNameServer(lab: Lab): Promise<unknown> {
  return startLines(lab, `${NAME_SERVER}:53`, (socket) => {
    socket.once("data", (query) => socket.end(answerMx(Buffer.from(query))));
  });
}

/** `query` and the answer are each a length of 2 octets and a message (RFC 1035 §4.1, §4.2.2). */
function answerMx(query: Buffer): Buffer {
  const question = query.subarray(14, query.indexOf(0, 14) + 5);
  // an answer, recursion available; one question, one answer, nothing else
  const head = Buffer.from([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
  const exchange = Buffer.from("\0\x0a\x04mail\x03web\x07example\0", "latin1");
  // the question's name, MX, IN, a minute
  const record = Buffer.from([0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 60, 0, exchange.length]);
  const message = Buffer.concat([query.subarray(2, 4), head, question, record, exchange]);
  return Buffer.concat([Buffer.from([0, message.length]), message]);
}

function startLines(lab: Lab, name: string, serve: (socket: Socket) => void): Promise<unknown> {
  return lab.once(name, async () => lab.route(name, lab.own(await startServer(serve)).port));
}

/** `irc.example`. */
export function startIrc(lab: Lab): Promise<unknown> {
  return lab.once("irc", async () => {
    const conf = lab.dir.file("ngircd.conf");
    const lines = [
      "[Global]",
      "Name = irc.example",
      "Info = Compatibility",
      "Listen = 127.0.0.1",
      `Ports = ${IRC_PORT}`,
      "MotdPhrase = hello",
      "[Options]",
      "DNS = no",
      "Ident = no",
      "PAM = no",
    ];
    writeFileSync(conf, `${lines.join("\n")}\n`);
    lab.route("irc.example:6667", IRC_PORT);
    return await lab.startDaemon(asNobody(["/usr/sbin/ngircd", "-n", "-f", conf]), IRC_PORT);
  });
}

/** `mqtt.example`, for anybody. */
export function startMqtt(lab: Lab): Promise<unknown> {
  return lab.once("mqtt", async () => {
    const conf = lab.dir.file("mosquitto.conf");
    writeFileSync(conf, `listener ${MQTT_PORT} 127.0.0.1\nallow_anonymous true\n`);
    lab.route("mqtt.example:1883", MQTT_PORT);
    return await lab.startDaemon(asNobody(["/usr/sbin/mosquitto", "-c", conf]), MQTT_PORT);
  });
}

/** `perf.example`, iperf3's server. */
export function startPerf(lab: Lab): Promise<unknown> {
  return lab.once("perf", async () => {
    const daemon = ["iperf3", "-s", "-B", "127.0.0.1", "-p", `${PERF_PORT}`];
    lab.route("perf.example:5201", PERF_PORT);
    return await lab.startDaemon(asNobody(daemon), PERF_PORT);
  });
}
