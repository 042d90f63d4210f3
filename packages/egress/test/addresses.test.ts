import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type ConnectTarget, classifyAddress, createEgress, type Resolve } from "../src/index.ts";
import { type Receiver, tcpReceiver } from "./receiver.ts";

const LOCAL_HOSTS = [
  "127.1",
  "0x7f000001",
  "0177.0.0.1",
  "2130706433",
  "①②⑦.⓪.⓪.①",
  "127.0.0.1.",
  "[::1]",
  "[::ffff:7f00:1]",
  "[64:ff9b::7f00:1]",
  "[64:ff9b:1::7f00:1]",
  "[2002:7f00:1::]",
  "[fec0::1]",
  "[fd00:ec2::254]",
  "[fe80::1]",
  "0.0.0.0",
  "169.254.169.254",
  "100.100.100.200",
  "10.0.0.1",
  "172.16.0.1",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "[::127.0.0.1]",
  "[::2]",
  "[::]",
  "[100:0:0:1::1]",
  "[4000::1]",
  "168.63.129.16",
  "192.0.0.192",
  "localhost",
  "LOCALHOST.",
  "app.localhost",
];

/** A resolver that gives these addresses for every name. */
const answers = (...addresses: string[]): Resolve => {
  return async () => addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
};

describe("addresses", () => {
  const open: Receiver[] = [];

  afterEach(async () => {
    await Promise.all(open.splice(0).map((receiver) => receiver.close()));
  });

  /** Starts a listener that gets every connection, whatever its target address. */
  async function canary() {
    const receiver = await tcpReceiver((socket) => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
    open.push(receiver);
    const targets: ConnectTarget[] = [];
    return {
      receiver,
      targets,
      connect: (target: ConnectTarget) => {
        targets.push(target);
        return connect(receiver.port, "127.0.0.1");
      },
    };
  }

  it.each(LOCAL_HOSTS)("rows 34, 35, 36: refuses %s when it is saved and when it is called", async (host) => {
    const { receiver, connect } = await canary();
    const egress = createEgress({ connect });
    expect(egress.checkUrl(`https://${host}/in`)).toBe("must not point to a private, local or reserved address");
    expect(await egress.send(`https://${host}/in`, { method: "POST", body: "{}" })).toMatchObject({ ok: false, code: "invalid_url" });
    expect(receiver.connections()).toBe(0);
  });

  it.each([
    ["a loopback address", ["127.0.0.1"]],
    ["a public and a private address", ["93.184.215.14", "10.0.0.7"]],
    ["a public and a mapped loopback address", ["93.184.215.14", "::ffff:127.0.0.1"]],
    ["a link-local address with a zone", ["fe80::1%eth0"]],
    ["an IPv4-compatible address", ["::127.0.0.1"]],
    ["a metadata address in a public range", ["168.63.129.16"]],
    ["what is no address", ["not-an-address"]],
  ])("row 37: connects nowhere when a name resolves to %s", async (_what, addresses) => {
    const { receiver, connect } = await canary();
    const egress = createEgress({ connect, resolve: answers(...addresses) });
    expect(egress.checkUrl("https://hooks.example.test/in")).toBeNull();
    expect(await egress.send("https://hooks.example.test/in", { method: "POST" })).toEqual({
      ok: false,
      code: "blocked_address",
      transient: false,
      error: "the host is at an address that may not be called",
    });
    expect(receiver.connections()).toBe(0);
  });

  it("row 37: looks a name up once a request and connects to the checked address, even if the resolver's answer changes", async () => {
    const { targets, connect } = await canary();
    let lookups = 0;
    const rebinding: Resolve = async () => {
      lookups += 1;
      return [{ address: lookups % 2 === 1 ? "93.184.215.14" : "127.0.0.1", family: 4 }];
    };
    const egress = createEgress({ connect, resolve: rebinding });
    const codes: string[] = [];
    for (let request = 0; request < 100; request += 1) {
      const result = await egress.send("https://rebind.example.test/in", { method: "POST", body: "{}" });
      codes.push(result.ok ? "answered" : result.code);
    }
    expect(lookups).toBe(100);
    // Every second look-up gives 127.0.0.1, which is refused. The others reach a listener without TLS.
    expect(codes.filter((code) => code === "blocked_address")).toHaveLength(50);
    expect(new Set(targets.flatMap((target) => target.addresses.map(({ address }) => address)))).toEqual(new Set(["93.184.215.14"]));
  });

  it("rows 34, 35, 36: reaches loopback if private targets are allowed, but still no metadata, link-local or multicast address", async () => {
    const { receiver, connect } = await canary();
    const egress = createEgress({ allowPrivate: true, connect });
    expect(await egress.send(`http://127.0.0.1:${receiver.port}/`, { method: "GET" })).toMatchObject({ ok: true, status: 200 });
    expect(receiver.connections()).toBe(1);
    const metadata = ["169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "[fd00:ec2::254]", "[fd00:ec2::23]"];
    const more = ["[fd20:ce::254]", "[fd00:42::42]", "[fd00:c1::a9fe:a9fe]", "[fd20:00ce:0:0::254]", "[::ffff:169.254.169.254]"];
    for (const host of [...metadata, ...more, "224.0.0.1", "0.0.0.0", "[fe80::1]"]) {
      expect(egress.checkUrl(`http://${host}/`)).toBe("must not point to a private, local or reserved address");
    }
    expect(receiver.connections()).toBe(1);
  });

  it.each([
    ["93.184.215.14", "public"],
    ["2606:2800:21f:cb07:6820:80da:af6b:8b2c", "public"],
    ["10.1.2.3", "private"],
    ["100.64.0.1", "private"],
    ["fd12::1", "private"],
    ["::1", "private"],
    ["2001:db8::1", "never"],
    ["", "never"],
  ])("calls %s %s", (address, kind) => {
    expect(classifyAddress(address)).toBe(kind);
  });
});
