// The lab's Nest service: node -r ./hook.js service.js VERSION PORT HOST
// One source for all versions. Decorators are applied by hand, so that nothing has to be compiled.
'use strict';
const { load, socketClass } = require('./nest');

const sleep = ms => new Promise(done => setTimeout(done, ms));
const sum = numbers => numbers.reduce((a, b) => a + b, 0);

function block(ms) {
  const until = Date.now() + ms;
  while (Date.now() < until);
}

/** The route table: method name → the pattern it answers and what it does. */
function messages({ rxjs, operators, microservices }) {
  const { Observable, concat, of, throwError, timer, EMPTY, NEVER } = rxjs;
  const { map, take } = operators;
  const { RpcException } = microservices;
  const refusing = what => () => {
    throw new RpcException(what);
  };
  return {
    sum: ['sum', sum],
    sumObject: [{ cmd: 'sum', a: 1 }, numbers => ({ total: sum(numbers) })],
    number: [42, data => `n${data}`],
    chinese: ['求和', data => data],
    echo: ['echo', data => data],
    // Answers after the given time: many in flight overtake one another.
    delay: ['delay', async ({ ms, value }) => (await sleep(ms), value)],
    // Reads nothing in the meantime.
    block: ['block', block],

    streamOf3: ['streamOf3', () => of(1, 2, 3)],
    streamTimer3: ['streamTimer3', () => timer(0, 5).pipe(take(3))],
    streamChinese: ['streamChinese', () => of('求', '和', '😀')],
    // Values at once, the end 25 ms later: the end is a frame of its own.
    streamLate: [
      'streamLate',
      () =>
        new Observable(observer => {
          observer.next('a');
          observer.next('b');
          setTimeout(() => observer.complete(), 25);
        }),
    ],
    // The end follows one tick after the value: Nest 7.6 to 11.0 lose it.
    streamNextTick: [
      'streamNextTick',
      () =>
        new Observable(observer => {
          observer.next(1);
          process.nextTick(() => observer.complete());
        }),
    ],
    streamEmpty: ['streamEmpty', () => EMPTY],
    streamNever: ['streamNever', () => concat(of(1), NEVER)],
    streamUndefined: [
      'streamUndefined',
      () =>
        timer(0, 5).pipe(
          take(3),
          map(n => (n === 1 ? undefined : n)),
        ),
    ],
    streamError: [
      'streamError',
      () =>
        new Observable(observer => {
          observer.next(1);
          setTimeout(() => observer.error(new RpcException('mid')), 10);
        }),
    ],

    rpcString: ['rpcString', refusing('boom')],
    rpcChinese: ['rpcChinese', refusing('错误 😀')],
    rpcObject: ['rpcObject', refusing({ code: 7, message: 'bad', status: 400 })],
    rpcNull: ['rpcNull', refusing(null)],
    rpcEmpty: ['rpcEmpty', refusing({})],
    rpcError: ['rpcError', refusing(new Error('x'))],
    rpcStream: ['rpcStream', () => throwError(new RpcException('from a stream'))],
    generic: [
      'generic',
      () => {
        throw new Error('not told to the caller');
      },
    ],

    giveUndefined: ['giveUndefined', () => undefined],
    giveNull: ['giveNull', () => null],
    giveZero: ['giveZero', () => 0],
    giveFalse: ['giveFalse', () => false],
    giveEmpty: ['giveEmpty', () => ''],
    giveCycle: [
      'giveCycle',
      () => {
        const cycle = {};
        cycle.self = cycle;
        return cycle;
      },
    ],
  };
}

/** What is listened for without an answer. Nest 5 knows no events on TCP. */
const events = {
  onLog: 'log',
  onAudit: { cmd: 'audit', a: 1 },
  onSeven: 7,
};

function controller(nest) {
  const { MessagePattern, EventPattern } = nest.microservices;
  class LabController {}
  const add = (name, decorator, handler) => {
    Object.defineProperty(LabController.prototype, name, {
      value: handler,
      configurable: true,
      writable: true,
    });
    decorator(LabController.prototype, name, Object.getOwnPropertyDescriptor(LabController.prototype, name));
  };
  for (const [name, [pattern, handle]] of Object.entries(messages(nest))) {
    // Of the arguments only the data is passed on: versions differ in what follows it.
    add(name, MessagePattern(pattern), function (data) {
      return handle(data);
    });
  }
  if (EventPattern) {
    for (const [name, pattern] of Object.entries(events)) add(name, EventPattern(pattern), function () {});
  }
  nest.common.Controller()(LabController);
  return LabController;
}

async function main([version, port, host]) {
  const nest = await load(Number(version));
  class LabModule {}
  nest.common.Module({ controllers: [controller(nest)] })(LabModule);
  const app = await nest.core.NestFactory.createMicroservice(LabModule, {
    transport: nest.microservices.Transport.TCP,
    options: { host, port: Number(port), ...socketClass(nest) },
    logger: false,
  });
  // `listen` takes a callback up to version 7 and gives a promise from 8 on.
  await (app.listenAsync ? app.listenAsync() : app.listen());
  console.log('listening');
  process.on('SIGTERM', () => process.exit(0));
}

main(process.argv.slice(2)).catch(error => {
  console.error(error);
  process.exit(1);
});
