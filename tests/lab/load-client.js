// One client process of the load: node load-client.js PORT CONNECTIONS SECONDS LOG number|object
// Keeps every connection filled with calls until the time is over, then waits for the last answers.
'use strict';
const fs = require('fs');
const net = require('net');
const { load } = require('./nest');

const VERSION = 11;
const TUNE_MS = 200;
const LARGEST_WINDOW = 512;
const LAST_ANSWERS_MS = 5000;

// What was written, by socket; made into lines only after the load, not to slow it.
const written = new Map();
const write = net.Socket.prototype.write;
net.Socket.prototype.write = function (chunk, ...more) {
  if (this.remoteAddress !== undefined) {
    if (!written.has(this))
      written.set(this, { client: `${this.localAddress}:${this.localPort}`, texts: [] });
    written.get(this).texts.push(chunk);
  }
  return write.call(this, chunk, ...more);
};

// What a usual service is sent: with its answer, frames of about 200 bytes.
const person = n => ({
  user: `u${n}`,
  name: 'Ada Lovelace',
  mail: 'ada@example.org',
  tags: ['a', 'b'],
  total: n * 1.25,
  address: { street: 'Main Street 12', city: 'London', zip: '12345' },
  active: true,
});

// Of a hundred exchanges: mostly a small sum or an object, some text that is not ASCII, some errors, some events.
function step(n, payload) {
  const slot = n % 100;
  if (slot < 70) return payload === 'object' ? ['echo', person(n)] : ['sum', [n, 1, 2]];
  if (slot < 80) return ['echo', '求和 😀'];
  if (slot < 88) return [{ cmd: 'sum', a: 1 }, [n, 2]];
  if (slot < 92) return ['streamOf3', n];
  if (slot < 95) return ['rpcString', n];
  if (slot < 96) return ['nobody', n];
  return null;
}

async function main([port, connections, seconds, log, payload]) {
  const { microservices } = await load(VERSION);
  const clients = Array.from({ length: connections }, () =>
    microservices.ClientProxyFactory.create({
      transport: microservices.Transport.TCP,
      options: { host: '127.0.0.1', port },
    }),
  );
  await Promise.all(clients.map(client => client.connect()));
  console.log('ready');
  await new Promise(done => process.stdin.once('data', done));

  const begun = process.hrtime.bigint();
  const until = Date.now() + seconds * 1000;
  const count = { calls: 0, events: 0, ok: 0, errors: 0 };
  let n = 0;
  let window = 16;
  const open = clients.map(() => 0);

  function fill(which) {
    while (open[which] < window && Date.now() < until) {
      const call = step(n++, payload);
      if (call === null) {
        count.events++;
        // An event is sent at once; what is given back tells of its sending only.
        clients[which].emit('log', { n });
        continue;
      }
      count.calls++;
      open[which]++;
      const ended = outcome => {
        count[outcome]++;
        open[which]--;
        // Half empty, then filled again: calls go out in bursts, as they do from a busy service.
        if (open[which] <= window / 2) fill(which);
      };
      clients[which].send(...call).subscribe({ error: () => ended('errors'), complete: () => ended('ok') });
    }
  }

  // The window doubles while that brings more answers. Small windows wait for delayed acknowledgements,
  // so one doubling may bring nothing: only the second in a row is believed.
  let best = 0;
  let vain = 0;
  let answered = 0;
  const tuner = setInterval(() => {
    const now = count.ok + count.errors;
    const rate = now - answered;
    answered = now;
    vain = rate > best * 1.1 ? 0 : vain + 1;
    best = Math.max(best, rate);
    if (vain === 2 || window === LARGEST_WINDOW) clearInterval(tuner);
    else window *= 2;
  }, TUNE_MS);

  clients.forEach((_, which) => fill(which));
  const answersUntil = until + LAST_ANSWERS_MS;
  while (Date.now() < until || (open.some(Boolean) && Date.now() < answersUntil)) {
    await new Promise(done => setTimeout(done, 20));
  }
  clearInterval(tuner);
  const ended = process.hrtime.bigint();
  clients.forEach(client => client.close());

  const file = fs.openSync(log, 'w');
  for (const { client, texts } of written.values()) {
    const lines = texts.map(text => {
      const { pattern, id } = JSON.parse(text.slice(text.indexOf('#') + 1));
      return JSON.stringify({ client, pattern, id }) + '\n';
    });
    fs.writeSync(file, lines.join(''));
  }
  console.log(JSON.stringify({ ...count, window, ns: Number(ended - begun) }));
  process.exit(0);
}

main(process.argv.slice(2).map((word, n) => (n < 3 ? Number(word) : word))).catch(error => {
  console.error(error);
  process.exit(1);
});
