// An OpenID Connect provider on loopback: node provider.mjs PORT CERTIFICATE KEY [REDIRECT]
//
// REDIRECT is where the client `pages` has its people sent back to.
// Its clients get access tokens for themselves, with groups: JWTs, but for resources whose URL ends with /opaque, where
// nobody else can read them; it answers the client `gateway` about those. Tokens of `bound` are bound to a key. People
// sign in as `ann` by the client `sluice`, without being asked for anything. POST /control/rotate makes it sign with a
// new key, published in that moment; /control/withdraw forgets all keys but that one; /control/refuse and
// /control/agree say what comes of the next sign-ins.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import https from "node:https";
import Provider from "oidc-provider";

const port = Number(process.argv[2]);
const redirect = process.argv[5];
const issuer = `https://127.0.0.1:${port}`;
const groups = { batch: ["settlement"], intern: ["interns"], lost: undefined, bound: ["settlement"] };

function newKey(id) {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return { ...privateKey.export({ format: "jwk" }), kid: id, use: "sig", alg: "ES256" };
}

let keys = [newKey("key-1")];
let made = 1;
let agrees = true;

// What pages for a login and for consent would come to.
async function interact(provider, request, response) {
  if (!agrees) return provider.interactionFinished(request, response, { error: "access_denied" });
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") {
    return provider.interactionFinished(request, response, { login: { accountId: "ann" } });
  }
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

function provide() {
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: [{
      client_id: "sluice",
      application_type: "native",
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
      redirect_uris: ["http://127.0.0.1/signed-in"],
      response_types: ["code"],
      id_token_signed_response_alg: "ES256",
    }, ...(redirect ? [{
      client_id: "pages",
      token_endpoint_auth_method: "none",
      redirect_uris: [redirect],
      id_token_signed_response_alg: "ES256",
    }] : []), {
      client_id: "gateway",
      client_secret: "of the gateway: 100% +secret",
      grant_types: [],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: "ES256",
    }, ...Object.keys(groups).map((id) => ({
      client_id: id,
      client_secret: `secret-of-${id}`,
      dpop_bound_access_tokens: id === "bound",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      id_token_signed_response_alg: "ES256",
    }))],
    claims: { openid: ["sub", "groups"] },
    conformIdTokenClaims: false,
    findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id, groups: ["staff"] }) }),
    interactions: { url: (ctx, interaction) => `/interaction/${interaction.uid}` },
    pkce: { required: () => true },
    cookies: { keys: ["of the scenario"] },
    extraTokenClaims: (ctx, token) => (groups[token.clientId] ? { groups: groups[token.clientId] } : {}),
    enabledJWA: { dPoPSigningAlgValues: ["RS256", "PS256", "ES256", "ES384", "EdDSA"] },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true },
      dPoP: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (ctx, resource) => ({
          scope: "pay",
          audience: resource,
          accessTokenFormat: resource.endsWith("/opaque") ? "opaque" : "jwt",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
    ttl: { ClientCredentials: 600 },
  });
  const callback = provider.callback();
  return (request, response) =>
    request.url.startsWith("/interaction/") ? interact(provider, request, response) : callback(request, response);
}

let answer = provide();
https
  .createServer({ cert: readFileSync(process.argv[3]), key: readFileSync(process.argv[4]) }, (request, response) => {
    if (request.url === "/control/rotate") keys = [newKey(`key-${++made}`), ...keys];
    else if (request.url === "/control/withdraw") keys = keys.slice(0, 1);
    else if (request.url === "/control/refuse") agrees = false;
    else if (request.url === "/control/agree") agrees = true;
    else return answer(request, response);
    answer = provide();
    return response.end("done\n");
  })
  .listen(port, "127.0.0.1");
