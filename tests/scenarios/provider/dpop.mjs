// A client with a key of its own (npm's jose): node dpop.mjs ALGORITHM
//
// Each line on stdin is a JSON object {"htm", "htu"} and perhaps "token", "iat", "jti"; the line on stdout is a proof
// that says so (RFC 9449 §4.2).
import { createHash, randomUUID } from "node:crypto";
import { createInterface } from "node:readline";
import { SignJWT, exportJWK, generateKeyPair } from "jose";

const alg = process.argv[2];
const { publicKey, privateKey } = await generateKeyPair(alg);
const jwk = await exportJWK(publicKey);

for await (const line of createInterface({ input: process.stdin })) {
  const { token, ...claims } = JSON.parse(line);
  if (token) claims.ath = createHash("sha256").update(token).digest("base64url");
  const proof = new SignJWT({ jti: randomUUID(), iat: Math.floor(Date.now() / 1000), ...claims })
    .setProtectedHeader({ typ: "dpop+jwt", alg, jwk });
  console.log(await proof.sign(privateKey));
}
