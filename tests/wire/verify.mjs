// Reads and verifies sealed messages from docs/wire.md alone, in another language: Node.js and its standard library.
//
//   node tests/wire/verify.mjs FILE.json
//
// The file holds `keys` (public, role, name, site: the trust table) and `messages` (hex, in the order in which they came);
// with `"apart": true` they are samples that have nothing to do with each other, and no chain is looked for.
// Each message gives one line of JSON: its type, signers, header, content and rows, or `refused` with the reason. Octets are
// written as {"hex": "..."}. The exit code is 1 when a message was refused, 2 when the file cannot be used.

import { createHash, createPublicKey, verify as verifyWith } from "node:crypto";
import { readFileSync } from "node:fs";
import { inflateSync } from "node:zlib";

const FIELD_P = 2n ** 255n - 19n;
const ORDER_L = 2n ** 252n + 27742317777372353535851937790883648493n;
const ENVELOPE_OCTETS_MAX = 1024 * 1024;
const PEOPLE = ["operator", "engineer", "custodian"];
const NIL_HEADER = null;

// Types: KiB, roles that may sign, fewest and most signers, streams, fields of the content (docs/wire.md, Types,
// Contents).
const TYPES = {
  "wardtap/summary.v2": [64, ["agent"], 1, 1, ["sensor"], "iv lg ig cv he ca dv sv ad ed"],
  "wardtap/summary.v1": [64, ["agent"], 1, 1, ["sensor"], "iv lg ig cv he ca dv ed"],
  "wardtap/finding.v1": [8, ["agent"], 1, 1, ["sensor"],
    "id sev mac role tier t first last count text ev attack cause expected step"],
  "wardtap/gap.v1": [16, ["agent"], 1, 1, ["sensor", "uplink"], "stream run ranges"],
  "wardtap/receipt.v1": [16, ["agent"], 1, 1, ["sensor", "uplink"], "id name state reason result"],
  "wardtap/clock-anchor.v1": [2, ["agent"], 1, 1, ["uplink"], "boot mono_ns wall_ns error_ns epoch"],
  "wardtap/uplink.v1": [8, ["agent"], 1, 1, ["uplink"], "epoch epoch_mono_ns audit spool_bytes waiting counts"],
  "wardtap/birth.v1": [8, ["agent"], 1, 1, [],
    "agent site boot run version legs contracts limits key_id mono_ns"],
  "wardtap/state.v1": [1, ["agent"], 1, 1, [], "agent state since_mono_ns run"],
  "wardtap/ack.v1": [8, ["collector"], 1, 1, [], "agent site run stream upto ranges epoch"],
  "wardtap/epoch.v1": [1, ["collector"], 1, 1, [], "site id wall_ns"],
  "wardtap/command.v1": [16, [...PEOPLE, "collector"], 1, 2, [],
    "agent site name args boot id not_after_mono_ns role"],
  "wardtap/config.v1": [64, PEOPLE, 1, 2, [], "agent site key_id version text"],
  "wardtap/enrol.v1": [2, [], 1, 1, [], "agent site token public algorithm hardware boot"],
  "wardtap/trust.v1": [1024, ["release"], 2, 3, [], "version site not_after_ns entries"],
  "wardtap/release.v1": [256, ["release"], 2, 3, [], "version serial floor not_after_ns files"],
  "wardtap/pack.v1": [16, ["release", "engineer", "custodian"], 1, 3, [], "name site serial not_after_ns files"],
};

class Refusal extends Error {
  constructor(reason, what) {
    super(what);
    this.reason = reason;
  }
}
const refuse = (reason, what) => { throw new Refusal(reason, what); };
const need = (good, reason, what) => good || refuse(reason, what);

// ---- msgpack: integers, text, octets, arrays, maps with text keys, nil; in an envelope each in its shortest form ----

class Reader {
  constructor(octets, { depth = 8, array = 4096, map = 256, shortest = false } = {}) {
    Object.assign(this, { octets, at: 0, depth, array, map, shortest });
  }

  take(count) {
    need(this.at + count <= this.octets.length, "bad-encoding", "cut off");
    this.at += count;
    return this.octets.subarray(this.at - count, this.at);
  }

  unsigned(count) {
    let value = 0n;
    for (const octet of this.take(count)) value = (value << 8n) | BigInt(octet);
    return value;
  }

  whole() {
    const value = this.value(this.depth);
    need(this.at === this.octets.length, "bad-encoding", "octets after the value");
    return value;
  }

  value(depth) {
    const [tag] = this.take(1);
    if (tag < 0x80) return BigInt(tag);
    if (tag >= 0xe0) return BigInt(tag) - 256n;
    if (tag < 0x90) return this.pairs(tag & 0x0f, depth);
    if (tag < 0xa0) return this.items(tag & 0x0f, depth);
    if (tag < 0xc0) return this.text(tag & 0x1f);
    return this.long(tag, depth);
  }

  long(tag, depth) {
    switch (tag) {
      case 0xc0: return null;
      case 0xc4: return this.take(this.length(1, 0));
      case 0xc5: return this.take(this.length(2, 1 << 8));
      case 0xc6: return this.take(this.length(4, 1 << 16));
      case 0xcc: return this.positive(1, 1n << 7n);
      case 0xcd: return this.positive(2, 1n << 8n);
      case 0xce: return this.positive(4, 1n << 16n);
      case 0xcf: return this.positive(8, 1n << 32n);
      case 0xd0: return this.negative(1, -32n);
      case 0xd1: return this.negative(2, -(1n << 7n));
      case 0xd2: return this.negative(4, -(1n << 15n));
      case 0xd3: return this.negative(8, -(1n << 31n));
      case 0xd9: return this.text(this.length(1, 32));
      case 0xda: return this.text(this.length(2, 1 << 8));
      case 0xdb: return this.text(this.length(4, 1 << 16));
      case 0xdc: return this.items(this.length(2, 16), depth);
      case 0xdd: return this.items(this.length(4, 1 << 16), depth);
      case 0xde: return this.pairs(this.length(2, 16), depth);
      case 0xdf: return this.pairs(this.length(4, 1 << 16), depth);
      default: return refuse("bad-encoding", `tag ${tag}: a float, a boolean, an extension or nothing`);
    }
  }

  length(count, least) {
    const value = Number(this.unsigned(count));
    need(!this.shortest || value >= least, "bad-encoding", "not the shortest form");
    return value;
  }

  positive(count, least) {
    const value = this.unsigned(count);
    need(!this.shortest || value >= least, "bad-encoding", "not the shortest form");
    return value;
  }

  negative(count, below) {
    const value = BigInt.asIntN(count * 8, this.unsigned(count));
    need(!this.shortest || value < below, "bad-encoding", "not the shortest form");
    return value;
  }

  text(count) {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.take(count));
    } catch (error) {
      return error instanceof Refusal ? refuse(error.reason, error.message) : refuse("bad-encoding", "not UTF-8");
    }
  }

  items(count, depth) {
    need(depth > 0 && count <= this.array, "bad-encoding", "too deep or too long");
    return Array.from({ length: count }, () => this.value(depth - 1));
  }

  pairs(count, depth) {
    need(depth > 0 && count <= this.map, "bad-encoding", "too deep or too many entries");
    const found = new Map();
    for (let index = 0; index < count; index += 1) {
      const key = this.value(0);
      need(typeof key === "string" && !found.has(key), "bad-encoding", "a key that is no text, or is there twice");
      found.set(key, this.value(depth - 1));
    }
    return found;
  }
}

// ---- keys ----

const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const littleEndian = (octets) => BigInt(`0x${Buffer.from(octets).reverse().toString("hex")}`);
const modulo = (value) => ((value % FIELD_P) + FIELD_P) % FIELD_P;

function power(base, exponent) {
  let result = 1n;
  for (let left = exponent, square = modulo(base); left > 0n; left >>= 1n, square = modulo(square * square)) {
    if (left & 1n) result = modulo(result * square);
  }
  return result;
}
const CURVE_D = modulo(-121665n * power(121666n, FIELD_P - 2n));

// Canonical, on the curve, and not of small order: the eight points that eight times themselves are the neutral element.
function checkPoint(raw) {
  const y = littleEndian(raw) & ((1n << 255n) - 1n);
  need(raw.length === 32 && y < FIELD_P, "bad-key", "not canonical");
  const square = modulo((y * y - 1n) * power(CURVE_D * y * y + 1n, FIELD_P - 2n)); // x * x
  need(square === 0n || power(square, (FIELD_P - 1n) / 2n) === 1n, "bad-key", "no point of the curve");
  let [x2, y2] = [square, modulo(y * y)];
  for (let doubling = 0; doubling < 3; doubling += 1) {
    // Of 2P only the squares matter: x = 2xy / (1 + d x2 y2), y = (y2 + x2) / (1 - d x2 y2)
    const product = modulo(CURVE_D * x2 * y2);
    const x = modulo(4n * x2 * y2 * power(power(1n + product, 2n), FIELD_P - 2n));
    const sum = modulo((y2 + x2) * power(1n - product, FIELD_P - 2n));
    if (x === 0n && sum === 1n) refuse("bad-key", "of small order");
    [x2, y2] = [x, modulo(sum * sum)];
  }
}

function trustOf(keys) {
  const table = new Map();
  for (const key of keys) {
    const raw = Buffer.from(key.public, "hex");
    checkPoint(raw);
    const id = sha256("ed25519", raw).subarray(0, 8).toString("hex");
    const jwk = { kty: "OKP", crv: "Ed25519", x: raw.toString("base64url") };
    table.set(id, { ...key, raw, handle: createPublicKey({ key: jwk, format: "jwk" }) });
  }
  return table;
}

// ---- envelope ----

function structure(sealed) {
  need(sealed.length <= ENVELOPE_OCTETS_MAX, "too-large", "envelope");
  let parts;
  try {
    parts = new Reader(sealed, { depth: 3, array: 4, map: 0, shortest: true }).whole();
  } catch (error) {
    return refuse("bad-envelope", error.message);
  }
  const [version, type, body, signatures] = Array.isArray(parts) && parts.length === 4 ? parts : [];
  need(version === 1n && typeof type === "string" && body instanceof Uint8Array && Array.isArray(signatures),
    "bad-envelope", "not [1, type, body, signatures]");
  const fits = (entry) => Array.isArray(entry) && entry.length === 2 &&
    entry.every((part) => part instanceof Uint8Array) && entry[0].length === 8 && entry[1].length === 64;
  need(Buffer.byteLength(type) <= 40 && signatures.length >= 1 && signatures.length <= 3 && signatures.every(fits),
    "bad-envelope", "signatures");
  return { type, body, signatures };
}

function signedOctets(type, body) {
  const lengths = Buffer.alloc(12);
  lengths.writeUInt32BE(Buffer.byteLength(type), 0);
  lengths.writeBigUInt64BE(BigInt(body.length), 4);
  return Buffer.concat([Buffer.from("wardtap.v1"), lengths.subarray(0, 4), Buffer.from(type), lengths.subarray(4), body]);
}

function isGood(key, signature, message) {
  if (littleEndian(signature.subarray(32)) >= ORDER_L) return false; // S + L would be a second signature
  return verifyWith(null, message, key.handle, signature);
}

function open(sealed, trust) {
  const { type, body, signatures } = structure(sealed);
  need(type in TYPES, "wrong-type", type);
  const [kib, roles, fewest, most] = TYPES[type];
  const bodyMax = kib * 1024 - 512;
  need(body.length <= bodyMax, "too-large", "body");
  const ids = signatures.map(([id]) => Buffer.from(id).toString("hex"));
  need(ids.length >= fewest && ids.length <= most && new Set(ids).size === ids.length, "not-allowed", "signers");
  if (type === "wardtap/enrol.v1") return enrolment(type, body, signatures[0], bodyMax);
  const signers = ids.map((id) => trust.get(id) ?? refuse("unknown-key", id));
  const message = signedOctets(type, body);
  signatures.forEach(([, signature], at) => need(isGood(signers[at], signature, message), "bad-signature", ids[at]));
  need(signers.every((key) => roles.includes(key.role)), "not-allowed", signers.map((key) => key.role).join());
  if (type === "wardtap/pack.v1" && signers.some((key) => key.role === "release")) {
    need(signers.length >= 2 && signers.every((key) => key.role === "release"), "not-allowed", "two release keys");
  }
  const opened = { type, body, signers, ...decoded(type, body, bodyMax) };
  checkOrigin(opened);
  return { ...opened, rows: tables(type, opened.content) };
}

// The one message that is read before it is verified, since it brings its key.
function enrolment(type, body, [id, signature], bodyMax) {
  const { header, content } = decoded(type, body, bodyMax);
  const raw = Buffer.from(content.get("public"));
  const [key] = trustOf([{ public: raw.toString("hex"), role: "", name: content.get("agent"), site: content.get("site") }]);
  need(key[0] === Buffer.from(id).toString("hex") && isGood(key[1], signature, signedOctets(type, body)),
    "bad-signature", "not signed by the key it brings");
  return { type, body, signers: [key[1]], header, content };
}

// ---- body ----

function plain(body, bodyMax) {
  need(body.length >= 1, "too-large", "empty body");
  if (body[0] === 0) return body.subarray(1);
  need(body[0] === 1, "bad-encoding", `encoding ${body[0]}`);
  try {
    const { buffer, engine } = inflateSync(body.subarray(1), { maxOutputLength: bodyMax - 1, info: true });
    need(engine.bytesWritten === body.length - 1, "bad-encoding", "octets after the zlib stream");
    return buffer;
  } catch (error) {
    return refuse(error instanceof Refusal ? error.reason : "bad-encoding", error.message);
  }
}

function decoded(type, body, bodyMax) {
  const pair = new Reader(plain(body, bodyMax)).whole();
  need(Array.isArray(pair) && pair.length === 2 && pair[1] instanceof Map, "bad-schema", "not [header, content]");
  const [header, content] = [pair[0] === null ? NIL_HEADER : headerOf(pair[0]), pair[1]];
  const [, , , , streams, fields] = TYPES[type];
  need(header === NIL_HEADER ? streams.length === 0 : streams.includes(header.stream), "bad-schema", "header");
  need([...content.keys()].sort().join(" ") === fields.split(" ").sort().join(" "), "bad-schema", "fields");
  return { header, content };
}

const HEADER = ("agent site stream boot run before_run before_seq seq prev mono_ns wall_ns clock_state " +
  "clock_error_ns").split(" ");

function headerOf(places) {
  need(Array.isArray(places) && places.length === HEADER.length, "bad-schema", "not a header");
  const header = Object.fromEntries(HEADER.map((name, at) => [name, places[at]]));
  const octets = (name, ...lengths) => header[name] instanceof Uint8Array && lengths.includes(header[name].length);
  const fits = octets("boot", 16) && octets("run", 16) && octets("before_run", 0, 16) && octets("prev", 32) &&
    ["before_seq", "seq", "mono_ns", "wall_ns", "clock_error_ns"].every((name) => typeof header[name] === "bigint") &&
    ["none", "floor", "holdover", "synced"].includes(header.clock_state);
  need(fits && header.seq >= 1n, "bad-schema", "header");
  return header;
}

// Signer, header and content name one agent of one site; who signs a command or a configuration holds the role it claims.
function checkOrigin({ type, signers, header, content }) {
  const [signer] = signers;
  if (header) {
    need(header.agent === signer.name && header.site === signer.site, "wrong-agent", header.agent);
  } else if (content.has("agent") && signer.role === "agent") {
    need(content.get("agent") === signer.name, "wrong-agent", content.get("agent"));
  }
  if (type === "wardtap/command.v1") {
    const acting = signers.map((key) => (key.role === "collector" ? "operator" : key.role));
    need(acting.every((role) => role === content.get("role")), "not-allowed", acting.join());
  }
}

// ---- the tables of a summary ----

const ROWS_MAX = 4096n;
const DEVICE_LIMIT = 1n << 32n;

// A column: so many numbers, in groups of seven bits, the lowest first, in the shortest form, and nothing behind them.
function column(octets, count) {
  need(octets instanceof Uint8Array && octets.length >= count, "bad-schema", "not a column");
  const numbers = [];
  for (let at = 0; at < octets.length;) {
    let [value, groups] = [0n, 0n];
    let octet;
    do {
      need(at < octets.length && groups < 9n, "bad-schema", "a number that is cut off or too long");
      octet = octets[at++];
      value |= BigInt(octet & 0x7f) << (7n * groups);
      groups += 1n;
    } while (octet & 0x80);
    need(octet !== 0 || groups === 1n, "bad-schema", "not the shortest form");
    numbers.push(value);
  }
  need(BigInt(numbers.length) === count, "bad-schema", "another number of numbers");
  return numbers;
}

function table(value, width) {
  need(Array.isArray(value) && value.length === width + 1 && typeof value[0] === "bigint" &&
    value[0] >= 0n && value[0] <= ROWS_MAX, "bad-schema", "not a table");
  return value;
}

const within = (numbers, limit) =>
  need(numbers.every((number) => number < limit), "bad-schema", `not below ${limit}`) && numbers;

function sums(steps) {
  let number = 0n;
  return within(steps.map((step) => (number += step)), DEVICE_LIMIT);
}

function deviceRows(value) {
  const [count, ...columns] = table(value, 10);
  const [steps, ...counts] = columns.map((octets) => column(octets, count));
  return sums(steps).map((number, at) => [number, ...counts.map((numbers) => numbers[at])]);
}

function services(value) {
  const [count, ...columns] = table(value, 6);
  const limits = [3n, 256n, 65536n, 256n, 256n, ROWS_MAX + 1n];
  const numbers = columns.map((octets, place) => within(column(octets, count), limits[place]));
  need(!numbers[5].includes(0n), "bad-schema", "a service without an edge");
  return numbers[0].map((_, at) => numbers.map((numbersOfPlace) => numbersOfPlace[at]));
}

function edges(served, addresses, value) {
  const [count, device, peer, place, ...rest] = table(value, 8);
  const [steps, peers] = [column(device, count), within(column(peer, count), DEVICE_LIMIT + 1n)];
  const far = peers.filter((number) => number === 0n).length;
  const places = within(column(place, BigInt(far)), BigInt(addresses.length));
  const counts = rest.map((octets) => column(octets, count));
  const found = [];
  let [at, used] = [0, 0];
  for (const [direction, protocol, port, scope, application, many] of served) {
    const stop = at + Number(many);
    need(BigInt(stop) <= count, "bad-schema", "fewer edges than services say");
    for (const number of sums(steps.slice(at, stop))) {
      const [flows, packetsOut, packetsIn, octetsOut, octetsIn] = counts.map((numbers) => numbers[at]);
      const known = peers[at] > 0n;
      const other = [peers[at] - 1n, known ? new Uint8Array(0) : addresses[places[used]]];
      if (!known) used += 1;
      found.push([number, direction === 1n ? 1n : 0n, protocol, port, ...other, scope, application,
        flows, packetsOut, packetsIn, octetsOut, octetsIn]);
      if (direction === 2n) {
        need(known, "bad-schema", "both sides of an edge to no device");
        found.push([other[0], 1n, protocol, port, number, new Uint8Array(0), scope, application,
          flows, packetsIn, packetsOut, octetsIn, octetsOut]);
      }
      at += 1;
    }
  }
  need(BigInt(at) === count, "bad-schema", "more edges than services say");
  return found;
}

function addressesOf(value) {
  const fits = (octets) => octets instanceof Uint8Array && [0, 4, 16].includes(octets.length);
  need(Array.isArray(value) && value.every(fits), "bad-schema", "addresses");
  return value;
}

function tables(type, content) {
  if (type === "wardtap/summary.v1") {
    return { dv: rowsOfLists(content.get("dv")), ed: rowsOfLists(content.get("ed")) };
  }
  if (type !== "wardtap/summary.v2") return undefined;
  const addresses = addressesOf(content.get("ad"));
  return { dv: deviceRows(content.get("dv")), ed: edges(services(content.get("sv")), addresses, content.get("ed")) };
}

// ---- the chain of each stream ----

class Chains {
  constructor() {
    this.streams = new Map();
  }

  check({ header, body }) {
    if (!header) return;
    const name = [header.agent, Buffer.from(header.run).toString("hex"), header.stream].join("/");
    const hashes = this.streams.get(name) ?? this.streams.set(name, new Map()).get(name);
    const hash = sha256(body).toString("hex");
    const held = hashes.get(header.seq);
    need(held === undefined || held === hash, "equivocation", `two bodies with number ${header.seq}`);
    const before = header.seq === 1n ? "00".repeat(32) : hashes.get(header.seq - 1n);
    const prev = Buffer.from(header.prev).toString("hex");
    need(before === undefined || prev === before, "broken-chain", `number ${header.seq} follows another body`);
    hashes.set(header.seq, hash);
  }
}

// ---- printing ----

function json(value) {
  if (value === null || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return `{"hex":"${Buffer.from(value).toString("hex")}"}`;
  if (Array.isArray(value)) return `[${value.map(json).join()}]`;
  const entries = value instanceof Map ? [...value] : Object.entries(value);
  return `{${entries.map(([key, inner]) => `${JSON.stringify(key)}:${json(inner)}`).join()}}`;
}

// Of summary.v1: columns of integers, the first of them differences.
function rowsOfLists(columns) {
  let number = 0n;
  return columns[0].map((step, at) => [(number += step), ...columns.slice(1).map((column) => column[at])]);
}

function told({ type, signers, header, content, rows }) {
  const line = { type, signers: signers.map((key) => key.name), header, content };
  if (rows) line.rows = rows;
  return line;
}

function main(path) {
  const { keys, messages, apart = false } = JSON.parse(readFileSync(path, "utf-8"));
  const [trust, chains] = [trustOf(keys), new Chains()];
  let refused = 0;
  for (const message of messages) {
    try {
      const opened = open(Buffer.from(message, "hex"), trust);
      if (!apart) chains.check(opened);
      console.log(json(told(opened)));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      refused += 1;
      console.log(json({ refused: error.reason, what: error.message }));
    }
  }
  return refused ? 1 : 0;
}

try {
  process.exitCode = main(process.argv[2]);
} catch (error) {
  console.error(`verify: ${error.reason ?? error.name}: ${error.message}`);
  process.exitCode = 2;
}
