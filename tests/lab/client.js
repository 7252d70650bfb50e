// The lab's Nest client: node -r ./hook.js client.js VERSION PORT HOST SCENARIO SERVER_PID
// Plays the client's part of one scenario. One source for all versions.
'use strict';
const { load, socketClass } = require('./nest');
const scenarios = require('./scenarios');

const sleep = ms => new Promise(done => setTimeout(done, ms));

class Lab {
  constructor(nest, port, host, serverPid) {
    Object.assign(this, { nest, port, host, serverPid, sleep, version: nest.version });
    this.clients = [];
    this.client = this.connect();
  }

  /** Another client object: another connection. */
  connect() {
    const { ClientProxyFactory, Transport } = this.nest.microservices;
    const client = ClientProxyFactory.create({
      transport: Transport.TCP,
      options: { host: this.host, port: this.port, ...socketClass(this.nest) },
    });
    this.clients.push(client);
    return client;
  }

  /**
   * Calls and waits for the end, at most `limit` ms: some calls never end (a Nest 5 client refuses
   * non-ASCII replies, Nest 7 to 10 lose final frames), and the scenario must go on.
   */
  call(pattern, data, { client = this.client, limit = 400 } = {}) {
    return new Promise(done => {
      const values = [];
      const finish = outcome => {
        clearTimeout(alarm);
        subscription?.unsubscribe();
        done({ outcome, values });
      };
      let subscription;
      const alarm = setTimeout(finish, limit, 'gave up');
      subscription = client.send(pattern, data).subscribe({
        next: value => values.push(value),
        error: error => finish(error ?? 'error'),
        complete: () => finish('done'),
      });
    });
  }

  /** An event, as far as the version has events. */
  async emit(pattern, data, { client = this.client } = {}) {
    if (!client.emit) return;
    await new Promise(done => client.emit(pattern, data).subscribe({ error: done, complete: done }));
  }

  close() {
    for (const client of this.clients) client.close();
  }
}

async function main([version, port, host, scenario, serverPid]) {
  const nest = await load(Number(version));
  const lab = new Lab(nest, Number(port), host, Number(serverPid));
  await scenarios[scenario].client(lab);
  lab.close();
  await sleep(50);
  process.exit(0);
}

main(process.argv.slice(2)).catch(error => {
  console.error(error);
  process.exit(1);
});
