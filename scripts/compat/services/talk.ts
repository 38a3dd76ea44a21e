/** Servers of lines and messages: a greeting, whois, IRC, MQTT, and one for iperf3. */

import { writeFileSync } from "node:fs";
import type { Socket } from "node:net";
import { startServer } from "../../../tests/helpers/local_servers.ts";
import { asNobody, type Lab } from "../lab.ts";

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
