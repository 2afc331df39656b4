// An OpenID Connect provider on loopback: node provider.mjs PORT CERTIFICATE KEY
//
// Its clients get JWT access tokens for themselves, with groups. POST /control/rotate makes it sign
// with a new key, published in that moment; /control/withdraw forgets all keys but that one.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import https from "node:https";
import Provider from "oidc-provider";

const port = Number(process.argv[2]);
const issuer = `https://127.0.0.1:${port}`;
const groups = { batch: ["settlement"], intern: ["interns"], lost: undefined };

function newKey(id) {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), kid: id, use: "sig", alg: "ES256" };
}

let keys = [newKey("key-1")];
let made = 1;

function provide() {
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: Object.keys(groups).map((id) => ({
      client_id: id,
      client_secret: `secret-of-${id}`,
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: "ES256",
    })),
    cookies: { keys: ["of the scenario"] },
    extraTokenClaims: (ctx, token) => (groups[token.clientId] ? { groups: groups[token.clientId] } : {}),
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx, resource) => ({
          scope: "pay",
          audience: resource,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
    ttl: { ClientCredentials: 600 },
  });
  return provider.callback();
}

let answer = provide();
https
  .createServer({ cert: readFileSync(process.argv[3]), key: readFileSync(process.argv[4]) }, (request, response) => {
    if (request.url === "/control/rotate") keys = [newKey(`key-${++made}`), ...keys];
    else if (request.url === "/control/withdraw") keys = keys.slice(0, 1);
    else return answer(request, response);
    answer = provide();
    return response.end("done\n");
  })
  .listen(port, "127.0.0.1");
