// What the lab records. Each scenario says with which Nest versions it runs, how it is captured, and
// what the client does; the server's part is in service.js.
//
//   versions   the Nest versions it runs with; with several, files are named `<scenario>-v<N>`
//   client     async function of a Lab (client.js)
//   clients    client processes at the same time (1)
//   server     false: nobody listens
//   host       what is listened on and called (127.0.0.1)
//   port       what is listened on, if it must be this one; otherwise any free port
//   tcpdump    the interface and further options of tcpdump
//   fixture    false: too big or too dull for the fixtures; 'gzip': goes there compressed
'use strict';
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

  for (const name of ['streamOf3', 'streamTimer3', 'streamChinese', 'streamLate', 'streamNextTick', 'streamEmpty',
    'streamUndefined', 'streamError']) {
    await lab.call(name, {});
  }
  await lab.call('streamNever', {}, { limit: 50 });

  for (const name of ['rpcString', 'rpcChinese', 'rpcObject', 'rpcNull', 'rpcEmpty', 'rpcError', 'rpcStream', 'generic',
    'nobody', '没有人']) {
    await lab.call(name, {});
  }
  for (const name of ['giveUndefined', 'giveNull', 'giveZero', 'giveFalse', 'giveEmpty']) await lab.call(name, {});
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

module.exports = {
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
