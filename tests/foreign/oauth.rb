# Checks a token, asks about it and takes it back, as a service in Ruby would, with oauth2 and jwt.
#
# oauth.rb ISSUER ID SECRET basic|form TOKEN prints what the token is before and after, a line of JSON
# each, or says why not and exits 1.

require 'json'
require 'jwt'
require 'oauth2'

issuer, id, secret, way, token = ARGV
scheme = way == 'basic' ? :basic_auth : :request_body
client = OAuth2::Client.new(id, secret, site: issuer, auth_scheme: scheme)
menjin = client.request(:get, '/.well-known/oauth-authorization-server').parsed
raise 'another issuer' unless menjin['issuer'] == issuer

# ruby-oauth2 has no method for either endpoint: this is how it asks for a token.
ask = lambda do |endpoint|
  form = OAuth2::Authenticator.new(id, secret, scheme).apply('token' => token)
  headers = form.delete(:headers) || {}
  headers['Content-Type'] = 'application/x-www-form-urlencoded'
  client.request(:post, menjin.fetch(endpoint), body: form, headers: headers)
end

begin
  keys = ->(_) { JSON.parse(client.request(:get, menjin['jwks_uri']).body, symbolize_names: true) }
  claims, = JWT.decode(
    token, nil, true,
    algorithms: %w[ES256], jwks: keys, iss: issuer, verify_iss: true, aud: 'repairs', verify_aud: true
  )
  before = ask.call('introspection_endpoint').parsed
  raise 'two subjects' if before['active'] && before['sub'] != claims['sub']

  puts JSON.generate(before)
  ask.call('revocation_endpoint')
  puts JSON.generate(ask.call('introspection_endpoint').parsed)
rescue OAuth2::Error => e
  abort "#{e.code}: #{e.description}"
end
