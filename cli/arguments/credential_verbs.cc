// Verbs that make keys and tokens, and take them back.
#include "cli/arguments/tree.h"

namespace sluice::cli {
namespace {

void add_key(Tree& tree) {
  auto& key = add_verb_group(tree, "key", "Make keys, and take API keys back",
                             "  sluice key new --subject batch --group settlement\n"
                             "  sluice key revoke 4f1c0de2a9b3");

  auto [made, key_new] =
      add_verb<KeyNewOptions>(tree, key, "new", "Make an API key; the secret is shown once",
                              "  sluice key new --subject batch --group settlement --expires 30d\n"
                              "  sluice key new --subject ann --group staff --scram "
                              "--append-to /etc/sluice/api_keys.yaml");
  made.add_option("--subject", key_new.subject, "Who calls with it")->required();
  made.add_option("--group", key_new.groups, "A group of the subject; may be repeated");
  made.add_option("--expires", key_new.expires, "RFC 3339, or a time from now such as 12h, 90d")
      ->capture_default_str();
  made.add_option("--append-to", key_new.append_to, "Add the entry to this keys file")
      ->type_name(file_value);
  made.add_flag("--scram", key_new.scram,
                "For PostgreSQL logins that do not show the key: SCRAM-SHA-256");
  add_json(made, key_new.json);

  auto [signing, key_signing] = add_verb<KeySigningOptions>(
      tree, key, "signing", "Make the key that signs the audit log",
      "  sluice key signing --file /etc/sluice/audit.key --origin gw1.example.com\n"
      "  sluice key signing --file ./audit.key --origin demo > gateway.vkey");
  signing.add_option("--file", key_signing.path, "Where the secret half goes (mode 0600)")
      ->type_name(file_value)
      ->required();
  signing.add_option("--origin", key_signing.origin, "Name of this log in its checkpoints")
      ->required();
  add_json(signing, key_signing.json);

  auto [operations, key_operations] = add_verb<KeyOperationsOptions>(
      tree, key, "operations", "Print the key of the digests of unmasked operations",
      "  sluice key operations --file /etc/sluice/audit.key\n"
      "  sluice key operations -c sluice.yaml | xxd -r -p > digests.key");
  operations.add_option("--file", key_operations.path, "The audit signing key, where it is a file")
      ->type_name(file_value);
  operations
      .add_option("-c,--config", key_operations.configuration,
                  "The configuration that names it, where it is in a token")
      ->type_name(file_value);
  add_json(operations, key_operations.json);

  auto [tokens, key_tokens] = add_verb<KeyTokensOptions>(
      tree, key, "tokens", "Make the key that signs the gateway's own tokens",
      "  sluice key tokens --file /etc/sluice/tokens.key\n"
      "  sluice key tokens --file ./tokens.key --json");
  tokens.add_option("--file", key_tokens.path, "Where it goes (mode 0600); must not exist")
      ->type_name(file_value)
      ->required();
  add_json(tokens, key_tokens.json);

  auto [listed, key_list] =
      add_verb<KeyListOptions>(tree, key, "list", "List the API keys that a gateway knows",
                               "  sluice key list\n"
                               "  sluice key list --gateway https://gw1.example.com:9443 --json");
  add_gateway(listed, key_list.gateway);
  add_json(listed, key_list.json);

  auto [revoked, key_revoke] = add_verb<KeyRevokeOptions>(
      tree, key, "revoke", "Take an API key back for good, by its id",
      "  sluice key revoke 4f1c0de2a9b3\n"
      "  sluice key revoke 4f1c0de2a9b3 --gateway https://gw1.example.com:9443");
  add_gateway(revoked, key_revoke.gateway);
  revoked.add_option("id", key_revoke.id, "As `sluice key list` and records show it")->required();
  add_json(revoked, key_revoke.json);
}

void add_login(Tree& tree) {
  auto [made, login] = add_verb<LoginOptions>(
      tree, tree.app, "login", "Sign in with a provider, for a token of the gateway's own",
      "  sluice login --gateway https://gw1.example.com:9443\n"
      "  sluice login --gateway https://gw1.example.com:9443 --device --lifetime 8h");
  made.add_option("--gateway", login.gateway, "https://HOST:PORT, as its admin.listen has it")
      ->required();
  made.add_option("--ca", login.ca, "Who may have signed its certificate; without it the system's")
      ->type_name(file_value);
  made.add_option("--provider", login.provider,
                  "With whom, as the gateway's configuration names it; without it the only one");
  made.add_option("--provider-ca", login.provider_ca,
                  "Who may have signed the provider's certificate; without it the system's")
      ->type_name(file_value);
  made.add_flag("--device", login.device, "Show a code to enter on another device");
  made.add_option("--lifetime", login.lifetime, "How long, such as 15m or 8h");
  add_json(made, login.json);
}

void add_token(Tree& tree) {
  auto [made, token] = add_verb<TokenOptions>(
      tree, tree.app, "token", "Print a short-lived token of the gateway's own",
      "  export TOKEN=$(sluice token --credential file:./api.key --for ledger-db)\n"
      "  sluice token --gateway https://gw1.example.com:9443 --for payments-api");
  made.require_subcommand(0, 1);
  add_gateway(made, token.gateway);
  auto* credential = made.add_option("--credential", token.credential,
                                     "Who asks: file:PATH or env:NAME, of an API key or of a "
                                     "provider's token");
  made.add_option("--subject", token.subject, "As operator: for whom")->excludes(credential);
  made.add_option("--group", token.groups, "As operator: a group of the subject; may be repeated")
      ->excludes(credential);
  made.add_option("--for", token.target, "The one target that it is to be good for");
  made.add_option("--lifetime", token.lifetime, "How long, such as 15m or 8h");
  add_json(made, token.json);

  auto [revoked, token_revoke] =
      add_verb<TokenRevokeOptions>(tree, made, "revoke", "Take a token back, by its id",
                                   "  sluice token revoke 5f0lFQ3m2yq7b1Zc9dXeVg\n"
                                   "  sluice token revoke 5f0lFQ3m2yq7b1Zc9dXeVg --json");
  add_gateway(revoked, token_revoke.gateway);
  revoked.add_option("id", token_revoke.id, "Its `jti`, as records and --json show it")->required();
  add_json(revoked, token_revoke.json);
}

void add_connect(Tree& tree) {
  auto [made, connect] = add_verb<ConnectOptions>(
      tree, tree.app, "connect", "Open a tunnel to a target, for programs of your own account",
      "  sluice connect ledger-db --gateway https://gw1.example.com:9443 --database ledger\n"
      "  sluice connect payments-api --to gw1.example.com:8443 --protocol http --token env:TOKEN");
  made.add_option("target", connect.target, "As the gateway's configuration names it")->required();
  auto* url = made.add_option("--gateway", connect.gateway.url,
                              "https://HOST:PORT, as its admin.listen has it");
  made.add_option("--token", connect.gateway.token,
                  "What proves who you are: file:PATH or env:NAME, of a token or an API\n"
                  "key; without it $SLUICE_TOKEN, or what `sluice login` left");
  made.add_option("--ca", connect.gateway.ca,
                  "Who may have signed the gateway's certificates; without it the system's")
      ->type_name(file_value);
  auto* listener = made.add_option("--listener", connect.listener,
                                   "Of the gateway; without it the only one that leads there")
                       ->needs(url);
  auto* protocol = made.add_option("--protocol", connect.protocol, "That is spoken there")
                       ->check(CLI::IsMember({"http", "postgres"}));
  auto* to = made.add_option("--to", connect.to,
                             "HOST:PORT of a listener, where the gateway is not to be asked for it")
                 ->needs(protocol)
                 ->excludes(listener);
  protocol->needs(to);
  made.add_option("--port", connect.port,
                  "On this host; without it one that stays the same for gateway and target")
      ->check(CLI::Range(1, 65535));
  made.add_option("--database", connect.database, "For the line that is printed");
  add_json(made, connect.json);
}

}  // namespace

void add_credential_verbs(Tree& tree) {
  add_key(tree);
  add_login(tree);
  add_token(tree);
  add_connect(tree);
}

}  // namespace sluice::cli
