// Preloaded (`node -r`) into every Nest process of the lab, before Nest itself: notes what the
// process writes to its TCP sockets, one JSON object per write, in the file LAB_SENT names.
// This is the truth that captures are compared with, so it knows nothing of Nest or of frames.
'use strict';
const fs = require('fs');
const net = require('net');

const file = fs.openSync(process.env.LAB_SENT, 'a');
const side = process.env.LAB_SIDE;

// What the monotonic clock, which all processes share, is behind the time since 1970. Given by `record`: two
// processes that each looked for themselves, one of them interrupted while it did, would put a reply before
// its request.
const epoch = BigInt(process.env.LAB_EPOCH);

// A server that listens on every address (Nest 5) sees IPv4 peers as mapped IPv6 addresses; the packets
// are IPv4.
function address(host, port) {
  const plain = host.replace(/^::ffff:(?=\d+\.)/, '');
  return plain.includes(':') ? `[${plain}]:${port}` : `${plain}:${port}`;
}

// Writes whose socket is still connecting: they and all that came after them wait here, so that the
// file keeps the order of the writes.
const waiting = [];

function settle() {
  while (waiting.length > 0) {
    const { socket, line } = waiting[0];
    if (line.local === null && socket.connecting) return;
    waiting.shift();
    line.local ??= address(socket.localAddress, socket.localPort);
    line.remote ??= address(socket.remoteAddress, socket.remotePort);
    // Synchronous: a process that is killed must have told what it sent until then.
    fs.writeSync(file, JSON.stringify(line) + '\n');
  }
}

const write = net.Socket.prototype.write;
net.Socket.prototype.write = function (chunk, encoding, callback) {
  const connected = this.remoteAddress !== undefined;
  // Neither connected nor connecting: standard output, a pipe. Ended: nothing will be sent.
  if ((connected || this.connecting) && !this.writableEnded && !this.destroyed) {
    const line = {
      at_ns: String(epoch + process.hrtime.bigint()),
      side,
      local: connected ? address(this.localAddress, this.localPort) : null,
      remote: connected ? address(this.remoteAddress, this.remotePort) : null,
    };
    if (typeof chunk === 'string') line.text = chunk;
    else line.base64 = Buffer.from(chunk).toString('base64');
    waiting.push({ socket: this, line });
    if (!connected) this.once('connect', settle);
    settle();
  }
  return write.call(this, chunk, encoding, callback);
};
