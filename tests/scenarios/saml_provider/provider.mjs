// An identity provider on npm's samlify: node provider.mjs PORT KEY CERTIFICATE METADATA
//
// GET /sso with a signed request answers with the page that posts the response to the gateway. Who
// signs in is said by the header field X-As, "ann:staff,payments"; what is signed by X-Sign,
// "assertion" (the default), "response" or "both".
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { randomBytes } from 'node:crypto';
import * as samlify from 'samlify';

const [port, key, certificate, metadata] = process.argv.slice(2);
const entity = `http://127.0.0.1:${port}/saml`;
samlify.setSchemaValidator({ validate: () => Promise.resolve('not validated here') });

const gateway = samlify.ServiceProvider({ metadata: readFileSync(metadata) });
const text = readFileSync(certificate, 'utf8').replace(/-----[A-Z ]+-----|\s/g, '');

const attributes = (groups) => groups.map((name) => `<saml:AttributeValue>${name}</saml:AttributeValue>`).join('');
const template = (groups) => `<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="{ID}" Version="2.0" IssueInstant="{IssueInstant}" Destination="{Destination}" InResponseTo="{InResponseTo}"><saml:Issuer>{Issuer}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status><saml:Assertion xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" ID="{AssertionID}" Version="2.0" IssueInstant="{IssueInstant}"><saml:Issuer>{Issuer}</saml:Issuer><saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">{NameID}</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="{NotOnOrAfter}" Recipient="{Destination}" InResponseTo="{InResponseTo}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{NotBefore}" NotOnOrAfter="{NotOnOrAfter}"><saml:AudienceRestriction><saml:Audience>{Audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="{IssueInstant}"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="groups">${attributes(groups)}</saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>`;

const provider = (groups) => samlify.IdentityProvider({
  entityID: entity,
  privateKey: readFileSync(key),
  signingCert: text,
  isAssertionEncrypted: false,
  wantAuthnRequestsSigned: true,
  messageSigningOrder: 'sign-then-encrypt',
  requestSignatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
  singleSignOnService: [{ Binding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', Location: `http://127.0.0.1:${port}/sso` }],
  loginResponseTemplate: { context: template(groups), attributes: [] },
});

async function signIn(url, as, signs) {
  const [name, groups] = as.split(':');
  const own = provider(groups.split(','));
  const query = Object.fromEntries(url.searchParams);
  const octetString = url.search.slice(1).replace(/&Signature=.*/, '');
  const request = await own.parseLoginRequest(gateway, 'redirect', { query, octetString });
  const fill = (context) => {
    const now = new Date();
    const values = {
      ID: `_${randomBytes(16).toString('hex')}`,
      AssertionID: `_${randomBytes(16).toString('hex')}`,
      Destination: gateway.entityMeta.getAssertionConsumerService('post'),
      Audience: gateway.entityMeta.getEntityID(),
      Issuer: entity,
      IssueInstant: now.toISOString(),
      NotBefore: now.toISOString(),
      NotOnOrAfter: new Date(now.getTime() + 300_000).toISOString(),
      InResponseTo: request.extract.request.id,
      NameID: name,
    };
    return { id: values.ID, context: context.replace(/{(\w+)}/g, (_, name) => values[name]) };
  };
  const wants = samlify.ServiceProvider({
    entityID: gateway.entityMeta.getEntityID(),
    assertionConsumerService: [{ Binding: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST', Location: gateway.entityMeta.getAssertionConsumerService('post') }],
    wantAssertionsSigned: signs !== 'response',
    wantMessageSigned: signs !== 'assertion',
  });
  const made = await own.createLoginResponse(wants, request, 'post', {}, fill, false, query.RelayState);
  return `<form method="post" action="${made.entityEndpoint}"><input name="SAMLResponse" value="${made.context}"/><input name="RelayState" value="${query.RelayState}"/></form>`;
}

createServer(async (request, reply) => {
  try {
    const url = new URL(request.url, entity);
    const page = await signIn(url, request.headers['x-as'], request.headers['x-sign'] ?? 'assertion');
    reply.writeHead(200, { 'Content-Type': 'text/html' }).end(page);
  } catch (fault) {
    reply.writeHead(400).end(`${fault?.stack ?? fault}`);
  }
}).listen(port, '127.0.0.1');
