#!/usr/bin/env node
// Prints the cases of frames.jsonl: node frames.js > frames.jsonl
// Written here as text and bytes that can be read; in the file they are base64, since many are no text.
'use strict';

const cases = [];
const bytes = part => (Buffer.isBuffer(part) ? part : Buffer.from(part));

/** One case; each further argument is one chunk. */
function add(name, ...chunks) {
  if (cases.some(other => other.name === name)) throw new Error(`two cases named ${name}`);
  cases.push({ name, chunks: chunks.map(chunk => bytes(chunk).toString('base64')) });
}

const cat = (...parts) => Buffer.concat(parts.map(bytes));
const hex = text => Buffer.from(text.replaceAll(' ', ''), 'hex');
/** A frame as Nest 6.1 and later write it, and as Nest 5 does. */
const units = json => `${json.length}#${json}`;
const octets = json => `${Buffer.byteLength(json)}#${json}`;
/** `count` equal cuts, or cuts at the given places. */
const every = (size, whole) =>
  Array.from({ length: Math.ceil(bytes(whole).length / size) }, (_, n) =>
    bytes(whole).subarray(n * size, (n + 1) * size),
  );
const cut = (whole, ...places) =>
  [0, ...places].map((from, n) => bytes(whole).subarray(from, places[n] ?? bytes(whole).length));

const ASK = '{"pattern":"sum","data":[1,2],"id":7}'; // 37 units, all ASCII
const CHINESE = '{"pattern":"echo","data":"求和 😀","id":"b9305e3c3556fc163fa37"}';
const TAIL = units('{"pattern":"tail","data":1}');

// Well-formed.
add('one frame', units(ASK));
add('two frames in one chunk', units(ASK) + TAIL);
add('two frames in two chunks', units(ASK), TAIL);
add(
  'fifty frames in one chunk',
  Array.from({ length: 50 }, (_, n) => units(`{"pattern":"p","data":${n},"id":"${n}"}`)).join(''),
);
add('a frame and half of the next', units(ASK) + TAIL.slice(0, 9), TAIL.slice(9));
add('a cut after every byte', ...every(1, units(ASK) + TAIL));
add('a cut after every third byte', ...every(3, units(ASK) + TAIL));
add('the digits are cut', ...cut(units(ASK) + TAIL, 1));
add('a cut before the delimiter', ...cut(units(ASK), 2));
add('a cut after the delimiter', ...cut(units(ASK), 3));
add('empty chunks between', units(ASK), '', TAIL);
add('a delimiter in a string', units('{"pattern":"#","data":"a#b##","id":"#"}') + TAIL);
add(
  'text like a frame in a string',
  units('{"pattern":"echo","data":"12#{\\"pattern\\":\\"fake\\",\\"id\\":\\"x\\"}","id":1}') + TAIL,
);
add(
  'text like many frames in a string',
  units(JSON.stringify({ pattern: 'echo', data: units(ASK).repeat(3), id: 1 })) + TAIL,
);

// Lengths in UTF-16 units, as 6.1 and later write.
add('units: é', units('{"pattern":"é","data":1}'));
add('units: 求和', units('{"pattern":"log","data":"求和"}'));
add('units: 😀', units('{"pattern":"log","data":"😀"}'));
add('units: 求和 😀', units(CHINESE));
add('units: glued', units(CHINESE) + units(CHINESE) + TAIL);
add('units: a cut after every byte', ...every(1, units(CHINESE) + TAIL));
add('units: a cut in each character', ...cut(units('{"data":"é求😀"}'), 13, 15, 17, 19));
add('units: 求 cut after one byte', ...cut(units('{"data":"求和"}') + TAIL, 13));
add('units: 求 cut after two bytes', ...cut(units('{"data":"求和"}') + TAIL, 14));
add('units: 😀 cut after one byte', ...cut(units('{"data":"😀"}') + TAIL, 13));
add('units: 😀 cut after two bytes', ...cut(units('{"data":"😀"}') + TAIL, 14));
add('units: 😀 cut after three bytes', ...cut(units('{"data":"😀"}') + TAIL, 15));
add(
  'units: a 5.x reply with unit lengths',
  units('{"err":null,"response":"求和","id":"x"}') + units('{"isDisposed":true,"id":"x"}'),
);

// Lengths in UTF-8 bytes, as 5.x and 6.0.0 write.
add('bytes: alone', octets(CHINESE));
add('bytes: alone, then another chunk', octets(CHINESE), TAIL);
add('bytes: before an ASCII frame', octets(CHINESE) + TAIL);
add('bytes: after an ASCII frame', TAIL + octets(CHINESE));
add('bytes: glued', octets(CHINESE) + octets(CHINESE));
add('bytes: a cut after every byte', ...every(1, octets(CHINESE)));
add(
  'bytes: a 5.x reply',
  octets('{"err":null,"response":"求和","id":"x"}') + octets('{"isDisposed":true,"id":"x"}'),
);
add('bytes: é, one more than units', octets('{"pattern":"é"}') + TAIL);
add('code points: neither', '61#' + CHINESE, TAIL);
// Units that reach as far as bytes would: the shorter frame inside is complete JSON.
add('bytes or units: a string frame', '5#"求" ', TAIL);
add('bytes or units: spaces after the text', '8#{"求":1}    ', TAIL);
add('bytes or units: both are frames', '6#"求é"' + '6#"求"1');

// Headers.
add('header: space before', ' 37#' + ASK);
add('header: line break before', '\r\n37#' + ASK);
add('header: tab, vertical tab and form feed before', '\t\v\f37#' + ASK);
add('header: plus', '+37#' + ASK);
add('header: leading zeros', '0037#' + ASK);
add('header: many leading zeros', '0'.repeat(100) + '37#' + ASK);
add('header: space after', '37 #' + ASK);
add('header: letters after', '37abc#' + ASK);
add('header: a fraction', '37.9#' + ASK);
add('header: an exponent', '37e3#' + ASK);
add('header: an underscore', '37_000#' + ASK);
add('header: byte order mark', '\ufeff37#' + ASK);
add('header: no-break space', '\u00a037#' + ASK);
add('header: ideographic space', '\u300037#' + ASK);
add('header: line separator', '\u202837#' + ASK);
add('header: next line, no white space to JavaScript', '\u008537#' + ASK);
add('header: zero-width space, no white space either', '\u200b37#' + ASK);
add('header: full-width digits', '３７#' + ASK);
add('header: a NUL before', '\0' + '37#' + ASK);
add('header: a NUL after', '37\0#' + ASK);
add('header: two signs', '+-37#' + ASK);
add('header: space after the sign', '+ 37#' + ASK);
add('header: space between digits', '1 37#' + ASK);
add('header: line break between frames', units(ASK) + '\n' + TAIL);
add('header: blank lines between frames', units(ASK) + '\r\n\r\n' + TAIL + '\n');
add('header: letters', 'abc#' + ASK);
add('header: letters, then a good frame in the same chunk', 'abc#' + ASK + TAIL);
add('header: letters, then a good frame in the next chunk', 'abc#' + ASK, TAIL);
add('header: empty', '#' + ASK);
add('header: only spaces', '   #' + ASK);
add('header: negative', '-5#' + ASK);
add('header: minus zero', '-0#' + ASK);
add('header: zero', '0#');
add('header: zero before a frame', '0#' + units(ASK));
add('header: zero, the frame in the next chunk', '0#', units(ASK));
add('header: hexadecimal', '0x25#' + ASK);
add('header: hexadecimal, the frame in the next chunk', '0x25#', ASK);
add('header: octal and binary prefixes', '0b11#' + '{}1');
add('header: Infinity', 'Infinity#' + ASK);
add('header: endless', '99999999999999999999#' + ASK);
add('header: beyond a double', '9'.repeat(400) + '#' + ASK);
add('header: 2^32 and a little', '4294967333#' + ASK, TAIL);
add('header: 2^64 and a little', '18446744073709551653#' + ASK, TAIL);
add('header: quotes', '"37"#' + ASK);
add('no delimiter: an HTTP request', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n');
add('no delimiter: an HTTP request, then a frame', 'GET / HTTP/1.1\r\n\r\n', units(ASK));
add('no delimiter: digits only', '37');
add('no delimiter: a TLS hello', hex('16 03 01 00 05 01 00 00 01 03'));

// Wrong lengths.
add('length one too small', '36#' + ASK);
add('length one too small, then a frame in the next chunk', '36#' + ASK, TAIL);
add('length one too small, glued', '36#' + ASK + TAIL);
add('length one too large', '38#' + ASK);
add('length one too large, glued', '38#' + ASK + TAIL);
add('length one too large, then another chunk', '38#' + ASK, TAIL, TAIL);
add('length one too large, white space fills it', '38#' + ASK + '\n' + TAIL);
add('length of half a character pair', '10#{"data":"😀"}' + TAIL);
add('length ends between the halves of 😀', '2#"😀"', TAIL);

// JSON.
add('json: white space around', `${ASK.length + 4}#\n ${ASK}\r\t` + TAIL);
add('json: falsy texts', '4#null' + '1#0' + '2#""' + '5#false' + '2#-0');
add('json: other texts', '4#true' + '1#1' + '3#"a"' + '2#[]' + '2#{}' + '5#[1,2]');
add('json: empty objects', '2#{}2#{}', '2#{}');
add('json: duplicate keys', units('{"id":1,"id":2,"pattern":"a","pattern":"b"}'));
add('json: __proto__', units('{"__proto__":{"id":1},"pattern":"a"}'));
add('json: numeric keys', units('{"b":1,"2":1,"1":1,"a":1}'));
add('json: escaped keys', units('{"\\u0070attern":"a","\\u0069d":1}'));
add(
  'json: integers beyond 64 bits',
  units('{"data":[9007199254740993,18446744073709551616,123456789012345678901234567890]}'),
);
add('json: numbers beyond a double', units('{"data":[1e400,-1e400,1e-400]}'));
add('json: number forms', units('{"data":[-0,1E5,1e+5,0.10,1.0,-1.5e-7]}'));
add('json: a leading zero', units('{"data":01}'));
add('json: a plus sign', units('{"data":+1}'));
add('json: a lone point', units('{"data":.5}'));
add('json: NaN', units('{"data":NaN}'));
add('json: escapes', units('{"data":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u6c42\\ud83d\\ude00"}'));
add('json: an unknown escape', units('{"data":"\\x41"}'));
add('json: a short escape', units('{"data":"\\u12"}'));
add('json: lone surrogates', units('{"data":"a\\ud800b","id":"\\udc00"}'));
add('json: surrogates in the wrong order', units('{"data":"\\ude00\\ud83d"}'));
add('json: a raw control character', units('{"data":"a\u0001b"}'));
add('json: a raw line break in a string', units('{"data":"a\nb"}'));
add('json: U+2028 and DEL in a string', units('{"data":"a\u2028b\u007f"}'));
add('json: a byte order mark before', units('\ufeff{"data":1}'));
add('json: no-break space around', units('\u00a0{"data":1}'));
add('json: single quotes', units("{'data':1}"));
add('json: a trailing comma', units('{"a":1,}') + TAIL);
add('json: a comment', units('{"a":1/**/}'));
add('json: two texts', units('{}{}') + TAIL);
add('json: an open string', units('{"a":"b') + TAIL);
add('json: open brackets', units('{"a":[1') + TAIL);
add('json: crossed brackets', units('{"a":[1}]') + TAIL);
add('json: True', units('True') + TAIL);
add('json: bad, then a good frame in the same chunk', units('{"a":1,,}') + TAIL);
add('json: bad, then a good frame in the next chunk', units('{"a":1,,}'), TAIL);
add('json: good, bad, good, in one chunk', TAIL + units('{x}') + TAIL);
add('json: good, bad, good, in three chunks', TAIL, units('{x}'), TAIL);
add('json: nested 300 deep', units('{"data":' + '['.repeat(300) + ']'.repeat(300) + ',"id":1}'));
add('json: nested 600 deep', units('['.repeat(600) + ']'.repeat(600)));

// Bytes that are no UTF-8: each maximal wrong part becomes one U+FFFD, and counts one unit.
const spoilt = (length, middle, ...more) => [cat(`${length}#{"data":"`, hex(middle), '"}', ...more)];
add('utf-8: FF', ...spoilt(12, 'ff'));
add('utf-8: FF, glued', ...spoilt(12, 'ff', TAIL));
add('utf-8: FF FE', ...spoilt(13, 'ff fe'));
add('utf-8: a lone continuation byte', ...spoilt(12, '80'));
add('utf-8: F0 9F 98, then a quote', ...spoilt(12, 'f0 9f 98', TAIL));
add('utf-8: E6 B1, then a quote', ...spoilt(12, 'e6 b1', TAIL));
add('utf-8: overlong C0 80', ...spoilt(13, 'c0 80', TAIL));
add('utf-8: overlong E0 80 80', ...spoilt(14, 'e0 80 80', TAIL));
add('utf-8: an encoded surrogate ED A0 80', ...spoilt(14, 'ed a0 80', TAIL));
add('utf-8: beyond U+10FFFF, F4 90 80 80', ...spoilt(15, 'f4 90 80 80', TAIL));
add('utf-8: F5 80 80 80', ...spoilt(15, 'f5 80 80 80', TAIL));
add('utf-8: Latin-1 é', ...spoilt(12, 'e9', TAIL));
add('utf-8: GBK 求和', cat('14#{"data":"', hex('c7 f3 ba cd'), '"}', TAIL));
add('utf-8: F0 9F 98 cut before the quote', cat('12#{"data":"', hex('f0 9f 98')), '"}' + TAIL);
add('utf-8: FF cut on both sides', cat('12#{"data":"'), hex('ff'), '"}' + TAIL);
add(
  'utf-8: half a character, then the other half of another',
  cat('12#{"data":"', hex('e6')),
  hex('9f 98'),
  '"}' + TAIL,
);
add('utf-8: lead byte, lead byte', ...spoilt(13, 'e6 e6 b1 82', TAIL));
add('utf-8: two lead bytes cut', cat('13#{"data":"', hex('e6')), cat(hex('e6 b1 82'), '"}', TAIL));
add('utf-8: E0 80 cut between', cat('13#{"data":"', hex('e0')), cat(hex('80'), '"}', TAIL));
add('utf-8: F4 90 cut between', cat('13#{"data":"', hex('f4')), cat(hex('90'), '"}', TAIL));
add('utf-8: ED A0 80 cut after each byte', cat('14#{"data":"', hex('ed')), hex('a0'), hex('80'), '"}' + TAIL);
add('utf-8: UTF-16', Buffer.from(units(ASK), 'utf16le'));

// The same wrong bytes cut at each place: a decoder that lives on between chunks must count alike.
for (const sequence of [
  'c3 28',
  'c0 af',
  'e0 9f bf',
  'e2 28 a1',
  'e6 b1 ff',
  'ed a0 bd ed b8 80',
  'ef bf',
  'ef bb bf',
  'f0 8f bf bf',
  'f0 9f 98',
  'f0 28 8c bc',
  'f0 9f 98 e6 b1 82',
  'f4 8f bf bf',
  'f4 90 80 80',
  'f8 88 80 80 80',
  'fe',
  '80 80 e6 b1 82',
]) {
  const middle = hex(sequence);
  const count = new TextDecoder('utf-8', { ignoreBOM: true }).decode(middle).length;
  const whole = cat(`${11 + count}#{"data":"`, middle, '"}', TAIL);
  for (let at = 1; at <= middle.length; at++)
    add(`utf-8: ${sequence} cut after ${at}`, ...cut(whole, 12 + at));
}

// What the envelopes of peers hold.
add(
  'shapes: a 5.x reply',
  octets('{"err":null,"response":6,"id":"x"}') + octets('{"isDisposed":true,"id":"x"}'),
);
add(
  'shapes: a 5.x refusal',
  octets('{"success":false,"error":"Error: Invalid content length supplied (abc) in: "}'),
);
add(
  'shapes: a reply without id',
  units('{"status":"error","err":"There is no equivalent message pattern defined in the remote service."}'),
);
add(
  'shapes: ids of every kind',
  [null, 0, '', false, [1], { a: 1 }]
    .map(id => units(JSON.stringify({ response: 1, isDisposed: true, id })))
    .join(''),
);
add(
  'shapes: metadata and further keys',
  units('{"pattern":"echo","data":1,"metadata":{"traceparent":"tp"},"id":"x","ser":"S"}'),
);
add('shapes: a string frame that holds a packet', units(JSON.stringify(ASK)));

// Long: a frame over many chunks.
add(
  'long: 600 × 求 in chunks of 97 bytes',
  ...every(97, units(JSON.stringify({ data: '求'.repeat(600) })) + TAIL),
);

for (const one of cases) console.log(JSON.stringify(one));
