// What the lab records. Each scenario says with which Nest versions it runs, how it is captured, and
// what the client does; the server's part is in service.js.
//
//   versions   the Nest versions it runs with; with several, files are named `<scenario>-v<N>`
//   client     async function of a Lab (client.js)
//   clientVersion  the client's Nest version, if it is another than the service's
//   clients    client processes at the same time (1)
//   server     false: nobody listens
//   host       what is listened on and called (127.0.0.1)
//   port       what is listened on, if it must be this one; otherwise any free port
//   network    { offload, capture: 'client' or 'server' }: two namespaces instead of loopback (network.js)
//   noDelay    true: Nagle's algorithm is turned off on both sides
//   tcpdump    the interface and further options of tcpdump
//   fixture    false: too big or too dull for the fixtures; 'gzip': goes there compressed
'use strict';
const net = require('net');
const { VERSIONS } = require('./nest');

// A generator with a seed: two recordings of a scenario make the same calls.
function randoms(seed) {
  let state = seed;
  return below => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state % below;
  };
}

const nested = depth => JSON.parse('['.repeat(depth) + ']'.repeat(depth));

/** Repeats `text` up to `units` UTF-16 units. */
const filled = (text, units) => text.repeat(Math.ceil(units / text.length)).slice(0, units);

const ECHOED = [
  '求和 😀',
  'é ü ñ',
  'line\u2028separator and byte order mark \ufeff',
  'a lone surrogate: a\ud800b, and a low one: \udc00',
  'escapes: \u0000 \u0001 \n \t " \\ / \u007f',
  'like a frame: 12#{"pattern":"fake","id":"x"}',
  '63#{"isDisposed":true,"id":"not one"}63#{"isDisposed":true,"id":"not one"}',
  '#',
  '###',
  '求#和',
  0,
  false,
  '',
  true,
  0.1,
  -1.5e-7,
  Number.MAX_SAFE_INTEGER + 1,
  12345678901234567890,
  Number.MAX_VALUE,
  Number.MIN_VALUE,
  [],
  {},
  [null, true, 'x', { a: [1, { b: null }] }],
  { b: 1, a: 2, 10: 'numeric keys come first', '': 'empty key', 求: '和', '😀': '#' },
  // The envelope's own keys inside the data mean nothing.
  { id: 'zzz', err: 'inner', isDisposed: true, response: 1, pattern: 'inner', data: 2 },
  nested(300),
];

async function basic(lab) {
  // Object and string patterns, the same with its keys in another order, a number.
  await lab.call('sum', [1, 2, 3]);
  await lab.call({ cmd: 'sum', a: 1 }, [1, 2]);
  await lab.call({ a: 1, cmd: 'sum' }, [3, 4]);
  await lab.call(42, 'x');
  await lab.call('求和', '求和 😀');

  await lab.emit('log', '求和');
  await lab.emit({ cmd: 'audit', a: 1 }, { n: 1 });
  await lab.emit({ z: 1, b: { d: 'q"uote', c: [1, 'two'] } }, { unmatched: true });
  await lab.emit(7, [1]);
  // A message handler called as an event, and the other way round.
  await lab.emit('sum', [1]);
  if (lab.client.emit) await lab.call('log', 'sent, not emitted');

  for (const value of ECHOED) await lab.call('echo', value);

  for (const name of [
    'streamOf3',
    'streamTimer3',
    'streamChinese',
    'streamLate',
    'streamNextTick',
    'streamEmpty',
    'streamUndefined',
    'streamError',
  ]) {
    await lab.call(name, {});
  }
  await lab.call('streamNever', {}, { limit: 50 });

  for (const name of [
    'rpcString',
    'rpcChinese',
    'rpcObject',
    'rpcNull',
    'rpcEmpty',
    'rpcError',
    'rpcStream',
    'generic',
    'nobody',
    '没有人',
  ]) {
    await lab.call(name, {});
  }
  for (const name of ['giveUndefined', 'giveNull', 'giveZero', 'giveFalse', 'giveEmpty'])
    await lab.call(name, {});
  await lab.call('giveCycle', {}, { limit: 50 });

  // From 12.0.4 on a hook may add metadata to what is sent.
  const traced = lab.connect();
  if (traced.setOnDispatchHook) {
    traced.setOnDispatchHook(packet => {
      packet.metadata = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' };
    });
    await lab.call('echo', '求', { client: traced });
    await lab.emit('log', { a: 1 }, { client: traced });
  }
}

async function concurrent(lab) {
  const random = randoms(lab.version);
  // Without a first call the versions up to 8.4.0 would open one connection per call.
  await lab.call('sum', [0]);
  const calls = [];
  for (let value = 0; value < 300; value++) {
    calls.push(lab.call('delay', { ms: random(50), value }, { limit: 5000 }));
  }
  await Promise.all(calls);
}

async function large(lab, sizes) {
  for (const size of sizes) {
    for (const text of ['0123456789abcde#', '求', '😀', 'a求😀"']) {
      // A Nest 5 client refuses its own server's non-ASCII replies; waiting long for them is useless.
      const ascii = text.length === 16;
      await lab.call('echo', filled(text, size), { limit: lab.version > 5 || ascii ? 10000 : 500 });
    }
  }
}

// Small frames that wait in the sender's kernel until the other side acknowledges an earlier one, on
// connections that each speak in one way.
async function held(lab) {
  const random = randoms(7);
  const talk = async (times, turn) => {
    const client = lab.connect();
    await lab.call('sum', [0], { client });
    for (let n = 0; n < times; n++) await turn(client, n);
  };
  const concurrent = (client, count, ms) =>
    Promise.all(
      Array.from({ length: count }, (_, value) =>
        lab.call('delay', { ms: random(ms), value }, { client, limit: 5000 }),
      ),
    );

  // The plainest code: tell, then ask.
  await talk(15, async (client, n) => {
    await lab.emit('log', { n }, { client });
    await lab.call('sum', [n, 1], { client });
    await lab.sleep(random(60));
  });
  // Several events before the question, a moment apart.
  await talk(6, async (client, n) => {
    for (let m = 0; m < 3; m++) {
      await lab.emit('log', { n, m }, { client });
      await lab.sleep(random(12));
    }
    await lab.call('sum', [n], { client });
  });
  // One by one: at once after the answer, after a while, by slow handlers.
  await talk(30, async (client, n) => {
    await lab.call(...(n % 3 ? ['sum', [n]] : ['delay', { ms: random(70), value: n }]), { client });
    if (n % 2) await lab.sleep(random(50));
  });
  // Small replies that wait for one ACK: all at once, then as they come.
  await talk(3, client => concurrent(client, 30, 50));
  await talk(40, async client => {
    concurrent(client, 1, 80);
    await lab.sleep(random(16));
  });
  await lab.sleep(150);
  // Frames of a segment and a bit behind a small one: only their ends wait.
  await talk(8, async (client, n) => {
    await lab.emit('log', { n }, { client });
    await lab.call('sum', Array(700 + 400 * (n % 3)).fill(n), { client });
  });
  // Streams, whose replies follow one another.
  await talk(6, client => lab.call(random(2) ? 'streamTimer3' : 'streamOf3', {}, { client }));
}

function between(capture, { offload = false } = {}) {
  return { versions: [11], fixture: false, network: { offload, capture }, client: held };
}

module.exports = {
  // Of the eight recordings between namespaces three differ enough to be fixtures.
  held: { versions: [11], fixture: 'gzip', client: held },
  'held-no-delay': { versions: [11], fixture: 'gzip', noDelay: true, client: held },
  'held-at-server': { ...between('server'), fixture: 'gzip' },
  'held-at-server-no-delay': { ...between('server'), fixture: 'gzip', noDelay: true },
  'held-at-server-offload': between('server', { offload: true }),
  'held-at-server-offload-no-delay': { ...between('server', { offload: true }), noDelay: true },
  'held-at-client': between('client'),
  'held-at-client-no-delay': { ...between('client'), noDelay: true },
  'held-at-client-offload': { ...between('client', { offload: true }), fixture: 'gzip' },
  'held-at-client-offload-no-delay': { ...between('client', { offload: true }), noDelay: true },

  walkthrough: {
    versions: [11],
    port: 8888,
    async client(lab) {
      await lab.emit('log', '求和');
      await lab.sleep(20);
      await lab.call('sum', [1, 2, 3]);
      await lab.sleep(20);
      await lab.call('sum', [3, 5, 6]);
      await lab.sleep(20);
    },
  },

  basic: { versions: VERSIONS, client: basic },

  concurrent: { versions: VERSIONS, client: concurrent },

  // Calls before the connection stands: up to 8.4.0 each opens a connection, and only the last is used.
  together: {
    versions: [5, 7, 11],
    async client(lab) {
      await Promise.all([1, 2, 3].map(n => lab.call('sum', [n, n])));
    },
  },

  // Frames of some segments each: small enough for the fixtures as they are.
  medium: {
    versions: [5, 6, 11],
    fixture: 'gzip',
    client: lab => large(lab, [30000]),
  },

  megabyte: {
    versions: [11],
    fixture: 'gzip',
    client: lab => large(lab, [1 << 20]),
  },

  large: {
    versions: [6, 11],
    fixture: false,
    client: lab => large(lab, [1 << 20, 5 << 20]),
  },

  // The caller gives up before the answer comes; the server cannot know.
  timeout: {
    versions: [11],
    async client(lab) {
      await lab.call('sum', [1]);
      await lab.call('delay', { ms: 150, value: 'late' }, { limit: 50 });
      await lab.call('sum', [2]);
      await lab.sleep(250);
      await lab.call('streamTimer3', {}, { limit: 4 });
      await lab.sleep(50);
      // Given up, and the connection closed before the answer.
      await lab.call('delay', { ms: 1000, value: 'never seen' }, { limit: 50 });
    },
  },

  // The server dies with three calls open. Up to 9.0.0 they then hang, later they fail at the client.
  killed: {
    versions: [7, 11],
    async client(lab) {
      await lab.call('sum', [1]);
      const open = [1, 2, 3].map(value => lab.call('delay', { ms: 5000, value }, { limit: 300 }));
      await lab.sleep(50);
      process.kill(lab.serverPid, 'SIGKILL');
      await Promise.all(open);
      // Nobody listens any more.
      await lab.call('sum', [2], { limit: 100 });
    },
  },

  // As `killed`, but the server is too busy to read what it was sent: its kernel resets the connection.
  reset: {
    versions: [11],
    async client(lab) {
      await lab.call('sum', [1]);
      const open = [lab.call('block', 1000, { limit: 300 })];
      await lab.sleep(50);
      open.push(lab.call('sum', [2], { limit: 200 }), lab.call('echo', '求', { limit: 200 }));
      await lab.sleep(50);
      process.kill(lab.serverPid, 'SIGKILL');
      await Promise.all(open);
    },
  },

  refused: {
    versions: [11],
    server: false,
    async client(lab) {
      await lab.call('sum', [1]);
      // The failed connection is forgotten only when its socket has closed.
      await lab.sleep(20);
      await lab.call('sum', [2]);
    },
  },

  // Linux "cooked" captures: no Ethernet header.
  any: { versions: [11], tcpdump: ['-i', 'any', '--time-stamp-precision=micro'], client: few },
  'any-sll': {
    versions: [11],
    tcpdump: ['-i', 'any', '-y', 'LINUX_SLL', '--time-stamp-precision=micro'],
    client: few,
  },

  ipv6: { versions: [11], host: '::1', client: few },

  // Peers of different age. The old one counts bytes, the new one UTF-16 units: ASCII gets through, and the
  // first other character from the old to the new ends the connection.
  'mixed-old-client': { versions: [11], clientVersion: 5, client: mixed },
  'mixed-old-server': { versions: [5], clientVersion: 11, client: mixed },

  raw: { versions: [5, 7, 11], client: raw },

  // Two client processes with two connections each: an id may be in flight on several connections.
  twoclients: {
    versions: [11],
    clients: 2,
    async client(lab) {
      const second = lab.connect();
      const calls = [];
      for (let n = 0; n < 10; n++) {
        for (const client of [lab.client, second]) {
          calls.push(lab.call('delay', { ms: n % 3, value: `${process.pid} ${n}` }, { client, limit: 2000 }));
        }
        await lab.sleep(2);
      }
      await Promise.all(calls);
    },
  },
};

async function few(lab) {
  await lab.emit('log', '求和');
  await lab.call('sum', [1, 2, 3]);
  await lab.call('echo', '求和 😀');
  await lab.call('streamTimer3', {});
  await lab.call('nobody', {});
}

async function mixed(lab) {
  await lab.call('sum', [1, 2, 3]);
  await lab.call('rpcString', {});
  await lab.call('streamOf3', {});
  await lab.call('echo', '求和 😀');
  await lab.call('sum', [3, 5, 6]);
  await lab.call('sum', [7]);
}

/** What no Nest client writes but a Nest server takes, or refuses: from a plain socket. */
async function raw(lab) {
  const frame = json => `${lab.version > 5 ? json.length : Buffer.byteLength(json)}#${json}`;
  async function connection(...writes) {
    // Half-open: a server that refuses ends its own direction only, and what is sent then is of interest.
    const socket = net.connect({ port: lab.port, host: lab.host, allowHalfOpen: true });
    socket.on('error', () => {});
    socket.on('data', () => {});
    // Each write a segment of its own.
    socket.setNoDelay(true);
    await new Promise(done => socket.once('connect', done));
    for (const write of writes) {
      socket.write(write);
      await lab.sleep(15);
    }
    socket.end();
    await lab.sleep(15);
  }
  const ask = id => JSON.stringify({ pattern: 'sum', data: [1, 2], id });

  // Headers with slack, white space between frames and inside them, keys in another order.
  await connection(
    ` ${frame(ask('space'))}`,
    `00${frame(ask('zeros'))}`,
    `+${frame(ask('plus'))}`,
    frame(ask('letters')).replace('#', 'abc#'),
    `\r\n${frame(ask('line'))}\n${frame(ask('break'))}`,
    `\ufeff${frame(ask('mark'))}`,
    frame(' { "id" : "spaces" , "more" : [ 1 ] ,\n"data" : [ 1 ] , "pattern" : "sum" } '),
    frame('{"id":"first","id":"last","pattern":"nobody","pattern":"sum","data":[9],"data":[1]}'),
    frame('{"\\u0070attern":"sum","data":[1],"\\u0069d":"escaped keys"}'),
  );
  // Ids of every kind, the same id twice in flight, no id, numbers beyond a double.
  await connection(
    ...[null, 0, '', false, true, 7, 1.5, [1], { a: 1 }, '求'].map(id => frame(ask(id))),
    ['twice', 'twice']
      .map(id => frame(JSON.stringify({ pattern: 'delay', data: { ms: 5, value: 1 }, id })))
      .join(''),
    frame('{"pattern":"sum","data":[1]}'),
    frame('{"id":"no pattern"}'),
    frame('{"pattern":"echo","data":[123456789012345678901234567890,1e400,0.10],"id":12345678901234567890}'),
    '4#null' + '1#0' + '2#""' + '2#{}' + '2#[]' + '3#"a"',
  );
  // Cuts in the digits, after the delimiter, and in each character.
  const whole = Buffer.from(frame('{"pattern":"echo","data":"é求😀","id":"cut"}') + frame(ask('after')));
  const at = whole.indexOf('é');
  const cuts = [0, 1, 3, at + 1, at + 3, at + 4, at + 6, at + 7, at + 8, whole.length];
  await connection(...cuts.slice(1).map((end, n) => whole.subarray(cuts[n], end)));
  // Bytes that are no UTF-8. Nest reads each wrong part as one character.
  await connection(
    Buffer.concat([
      Buffer.from(`${lab.version > 5 ? 43 : 45}#{"pattern":"echo","data":"`),
      Buffer.from([0xff, 0xf0, 0x9f, 0x98]),
      Buffer.from('","id":"bytes"}'),
    ]),
    frame(ask('after')),
  );
  // Refused frames; what follows in the same segment is lost, what follows later is still run (from 6 on without
  // an answer).
  await connection(frame(ask('before')), 'abc#{}' + frame(ask('same segment')), frame(ask('later')));
  await connection(
    frame(ask('before')) + frame('{"a":1,,}') + frame(ask('same segment')),
    frame(ask('later')),
  );
  await connection('1' + frame(ask('too long')), frame(ask('later')));
  await connection('GET / HTTP/1.1\r\nHost: example\r\n\r\n');
  await connection(Buffer.from('1603010005010000010303', 'hex'));
  // Ended in the middle of a frame.
  await connection(frame(ask('half')).slice(0, 20));
}
