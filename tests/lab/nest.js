// Takes the number of a Nest version and gives that Nest, loaded from its folder `v<N>`.
// The rest of the lab does not know where a version lives or how it is loaded.
'use strict';
const { execFileSync } = require('child_process');
const fs = require('fs');
const { createRequire } = require('module');
const path = require('path');
const { pathToFileURL } = require('url');

const VERSIONS = [5, 6, 7, 8, 9, 10, 11, 12];

const folder = version => path.join(__dirname, `v${version}`);

/** Installs what the lock file pins, unless it is there. */
function install(version) {
  if (fs.existsSync(path.join(folder(version), 'node_modules'))) return;
  console.error(`installing Nest ${version}`);
  // No script of a package is run: none is needed.
  execFileSync('npm', ['ci', '--ignore-scripts', '--loglevel=error'], {
    cwd: folder(version),
    stdio: ['ignore', 2, 2],
  });
}

async function load(version) {
  const requireFrom = createRequire(path.join(folder(version), 'package.json'));
  // Nest 12 is published as ES modules only; up to 11 an import of CommonJS would hide some names.
  const get = name =>
    version >= 12 ? import(pathToFileURL(requireFrom.resolve(name)).href) : requireFrom(name);
  requireFrom('reflect-metadata');
  return {
    version,
    common: await get('@nestjs/common'),
    core: await get('@nestjs/core'),
    microservices: await get('@nestjs/microservices'),
    rxjs: requireFrom('rxjs'),
    operators: requireFrom('rxjs/operators'),
  };
}

/** With LAB_NO_DELAY the option of client and server by which a user turns Nagle's algorithm off. */
function socketClass({ microservices }) {
  if (!process.env.LAB_NO_DELAY) return {};
  class PromptSocket extends microservices.JsonSocket {
    constructor(socket) {
      super(socket);
      socket.setNoDelay(true);
    }
  }
  return { socketClass: PromptSocket };
}

module.exports = { VERSIONS, folder, install, load, socketClass };
