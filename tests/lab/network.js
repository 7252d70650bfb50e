// The network between the lab's processes: the loopback of this machine, or two network namespaces that a
// veth pair joins, with the loopbacks of neither. Namespaces share the machine's clock, so that what both
// processes say and what either end captures can be compared.
'use strict';
const { execFileSync } = require('child_process');

const SPACES = { client: 'nestscope-client', server: 'nestscope-server' };
const ADDRESSES = { client: '10.88.0.1', server: '10.88.0.2' };

const ip = (...words) => execFileSync('ip', words, { stdio: ['ignore', 'pipe', 'pipe'] });

/** Each side's namespace has one interface of the pair, named `veth0`. */
function join(offload) {
  take(() => {});
  for (const side of ['client', 'server']) ip('netns', 'add', SPACES[side]);
  ip('link', 'add', 'veth0', 'netns', SPACES.client, 'type', 'veth', 'peer', 'name', 'veth0', 'netns', SPACES.server);
  for (const side of ['client', 'server']) {
    const inside = (...words) => ip('-n', SPACES[side], ...words);
    // One segment a packet: what a card without segmentation offload sends.
    if (!offload) inside('link', 'set', 'veth0', 'gso_max_segs', '1');
    inside('address', 'add', `${ADDRESSES[side]}/24`, 'dev', 'veth0');
    inside('link', 'set', 'veth0', 'up');
  }
}

function take(failed) {
  for (const space of Object.values(SPACES)) {
    try {
      ip('netns', 'delete', space);
    } catch (error) {
      failed(error);
    }
  }
}

/**
 * What a scenario asks for: `undefined` (loopback) or `{ offload, capture: 'client' | 'server' }`. Gives the
 * address of the server, the words that start a program on a side or where the capture stands, the interface
 * there, and what removes the network.
 */
function network(wanted) {
  if (!wanted) {
    return { host: '127.0.0.1', on: () => [], interface: 'lo', remove() {} };
  }
  join(wanted.offload);
  return {
    host: ADDRESSES.server,
    on: side => ['ip', 'netns', 'exec', SPACES[side === 'capture' ? wanted.capture : side]],
    interface: 'veth0',
    remove: () =>
      take(error => {
        throw error;
      }),
  };
}

module.exports = { network };
