/** Python: the libraries that people use, each in the way it waits. */

import type { Row } from "../row.ts";
import { PAGE, startWeb } from "../services/web.ts";

const QUICK = { packages: ["python3"], isQuick: true } as const;
const PLAIN = ["web.example:80"];

const SOCKET = `
import socket
s = socket.create_connection(("web.example", 80), timeout=10)
s.sendall(b"GET / HTTP/1.0\\r\\nHost: web.example\\r\\n\\r\\n")
print(s.makefile("rb").read().decode())`;

const URLLIB = `
import urllib.request
print(urllib.request.urlopen("http://web.example/").read().decode())`;

const THREADS = `
import concurrent.futures, urllib.request
def fetch(n):
    return urllib.request.urlopen("http://web.example/?%d" % n).read().decode()
with concurrent.futures.ThreadPoolExecutor(20) as pool:
    print(len([t for t in pool.map(fetch, range(100)) if "web.example" in t]), "pages")`;

const PROCESSES = `
import multiprocessing, urllib.request
def fetch(n):
    return urllib.request.urlopen("http://web.example/?%d" % n).read().decode()
for method in ("fork", "spawn"):
    with multiprocessing.get_context(method).Pool(4) as pool:
        if __name__ == "__main__":
            print(method, len([t for t in pool.map(len, map(fetch, range(20)))]), "pages")`;

const ASYNCIO = `
import asyncio
async def fetch():
    reader, writer = await asyncio.open_connection("web.example", 80)
    writer.write(b"GET / HTTP/1.0\\r\\nHost: web.example\\r\\n\\r\\n")
    return (await reader.read()).decode()
async def main():
    print(len([t for t in await asyncio.gather(*[fetch() for _ in range(50)]) if "Hello" in t]), "pages")
asyncio.run(main())`;

const REQUESTS = `
import requests
with requests.Session() as session:
    print(session.get("http://web.example/").text, session.get("https://web.example/").text)`;

const HTTPX = `
import asyncio, httpx, ssl, sys
trust = ssl.create_default_context(cafile=sys.argv[1])
print(httpx.get("http://web.example/").text)
async def main():
    async with httpx.AsyncClient(verify=trust) as client:
        print((await client.get("https://web.example/")).text)
asyncio.run(main())`;

const AIOHTTP = `
import aiohttp, asyncio
async def main():
    async with aiohttp.ClientSession() as session:
        async def fetch(n):
            async with session.get("http://web.example/?%d" % n) as response:
                return await response.text()
        print(len([t for t in await asyncio.gather(*map(fetch, range(50))) if "Hello" in t]), "pages")
asyncio.run(main())`;

const AIODNS = `
import aiohttp, asyncio
async def main():
    connector = aiohttp.TCPConnector(resolver=aiohttp.AsyncResolver(timeout=2, tries=1))
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get("http://web.example/") as response:
            print(await response.text())
asyncio.run(main())`;

const DNSPYTHON = `
import dns.resolver
print(dns.resolver.resolve("web.example", "A")[0])`;

function python(
  library: string,
  names: Partial<Row>,
  script: string,
  prints: string | RegExp = PAGE,
): Row {
  return {
    program: `python3 ${library}`,
    packages: ["python3"],
    action: "HTTP",
    asks: PLAIN,
    ...names,
    async command(lab) {
      const { caPath } = await startWeb(lab);
      return {
        argv: ["/usr/bin/python3", "-c", script, caPath],
        env: { REQUESTS_CA_BUNDLE: caPath },
        prints,
      };
    },
  };
}

const BOTH = ["web.example:80", "web.example:443"];
const TWICE = new RegExp(`${PAGE}[^]*${PAGE}`);

export const PYTHON_ROWS: Row[] = [
  python("socket", QUICK, SOCKET),
  python("urllib", QUICK, URLLIB),
  python(
    "concurrent.futures",
    { ...QUICK, action: "100 pages in 20 threads" },
    THREADS,
    "100 pages",
  ),
  python("multiprocessing", { action: "HTTP in forked processes" }, PROCESSES, "fork 20 pages"),
  python("asyncio", { ...QUICK, action: "50 connections at once" }, ASYNCIO, "50 pages"),
  python(
    "requests",
    { packages: ["python3-requests"], action: "HTTP and HTTPS", asks: BOTH },
    REQUESTS,
    TWICE,
  ),
  python(
    "requests",
    {
      packages: ["python3-requests"],
      action: "HTTP and HTTPS, with the proxy variables",
      asks: BOTH,
      hasVariables: true,
    },
    REQUESTS,
    TWICE,
  ),
  python(
    "httpx",
    { packages: ["python3-httpx"], action: "HTTP, and HTTPS asynchronously", asks: BOTH },
    HTTPX,
    TWICE,
  ),
  python(
    "httpx",
    {
      packages: ["python3-httpx"],
      action: "HTTP and HTTPS, with the proxy variables",
      asks: BOTH,
      hasVariables: true,
    },
    HTTPX,
    TWICE,
  ),
  python(
    "aiohttp",
    { packages: ["python3-aiohttp"], action: "50 pages at once" },
    AIOHTTP,
    "50 pages",
  ),
  python(
    "aiohttp",
    { packages: ["python3-aiohttp", "python3-aiodns"], action: "HTTP, with aiodns (c-ares)" },
    AIODNS,
  ),
  python(
    "dnspython",
    { packages: ["python3-dnspython"], action: "an A record", asks: [] },
    DNSPYTHON,
    /^198\.1[89]\./,
  ),
];
