// Verifies a webhook with npm's standardwebhooks and svix, under each of the secrets; then with one
// bit flipped in the body, the id, the time and the secret, which must never verify. The argument is
// JSON; prints how many verified, how many forgeries were tried, and those that went through.
import { Webhook as Standard } from 'standardwebhooks';
import { Webhook as Svix } from 'svix';

const { secrets, now, body, headers } = JSON.parse(process.argv[2]);
// The clock of the test stands still; the libraries ask for the time of day.
Date.now = () => now;
const RealDate = Date;
globalThis.Date = class extends RealDate {
  constructor(...given) {
    super(...(given.length ? given : [now]));
  }
};
Date.now = () => now;

const libraries = [Standard, Svix];

function verifies(Library, secret, text, sent) {
  try {
    new Library(secret).verify(text, sent);
    return true;
  } catch {
    return false;
  }
}

function flipped(text, at) {
  const bytes = Buffer.from(text);
  bytes[at] ^= 1;
  return bytes.toString();
}

let verified = 0;
let tried = 0;
const forged = [];
for (const Library of libraries) {
  for (const secret of secrets) {
    if (verifies(Library, secret, body, headers)) verified += 1;
    const attempt = (what, key, text, sent) => {
      tried += 1;
      if (verifies(Library, key, text, sent)) forged.push(`${Library.name} ${what}`);
    };
    for (let at = 0; at < Buffer.byteLength(body); at += 1) {
      attempt(`body ${at}`, secret, flipped(body, at), headers);
    }
    for (const name of ['webhook-id', 'webhook-timestamp']) {
      const value = flipped(headers[name], headers[name].length - 1);
      attempt(name, secret, body, { ...headers, [name]: value });
    }
    const key = `whsec_${Buffer.from('another key of thirty-two bytes!').toString('base64')}`;
    attempt('secret', key, body, headers);
    const signatures = headers['webhook-signature'].split(' ').map((each) => flipped(each, 6));
    attempt('signature', secret, body, { ...headers, 'webhook-signature': signatures.join(' ') });
  }
}
console.log(JSON.stringify({ verified, tried, forged }));
