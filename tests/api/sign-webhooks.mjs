// Signs a body as each service's own library does it, and prints what would be sent, as JSON. The
// argument is the time in milliseconds since 1970.
import { sign } from '@octokit/webhooks-methods';
import { Webhook as Standard } from 'standardwebhooks';
import Stripe from 'stripe';
import { Webhook as Svix } from 'svix';

const now = new Date(Number(process.argv[2]));
const seconds = Math.floor(now.getTime() / 1000);
const body = JSON.stringify({ id: 'evt_1', name: 'Zürich 👋', total: 12.5 });
const whsec = `whsec_${Buffer.from('a key of exactly 32 bytes, yes!!').toString('base64')}`;
const secret = 'correct horse battery staple';

const standard = (Library, family) => ({
  scheme: 'STANDARD_WEBHOOKS',
  secret: whsec,
  body,
  headers: {
    [`${family}-id`]: 'msg_1',
    [`${family}-timestamp`]: String(seconds),
    [`${family}-signature`]: new Library(whsec).sign('msg_1', now, body),
  },
});
const stripe = new Stripe('sk_test_none');
const signed = [
  standard(Standard, 'webhook'),
  standard(Svix, 'svix'),
  {
    scheme: 'STRIPE',
    secret,
    body,
    headers: {
      'stripe-signature': stripe.webhooks.generateTestHeaderString({
        payload: body,
        secret,
        timestamp: seconds,
      }),
    },
  },
  {
    scheme: 'GITHUB',
    secret,
    body,
    headers: { 'x-hub-signature-256': await sign(secret, body) },
  },
];
console.log(JSON.stringify(signed));
