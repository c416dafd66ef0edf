# Checks an access token as a service written in Ruby would, with ruby-jwt.
#
# verify.rb JWKS-FILE TOKEN ISSUER AUDIENCE prints the subject, or says why not and exits 1.

require 'json'
require 'jwt'

file, token, issuer, audience = ARGV
published = JSON.parse(File.read(file)).fetch('keys')

# ruby-jwt leaves Ed25519 to the rbnacl library and takes its kind of key.
def ed25519(jwk)
  require 'rbnacl'
  RbNaCl::Signatures::Ed25519::VerifyKey.new(JWT::Base64.url_decode(jwk.fetch('x')))
end

begin
  _, header = JWT.decode(token, nil, false)
  jwk = published.find { |key| key['kid'] == header['kid'] }
  raise JWT::DecodeError, 'no such key' unless jwk

  key = jwk['kty'] == 'OKP' ? ed25519(jwk) : nil
  claims, = JWT.decode(
    token, key, true,
    algorithms: [jwk.fetch('alg')], jwks: key ? nil : { keys: [jwk.transform_keys(&:to_sym)] },
    iss: issuer, verify_iss: true, aud: audience, verify_aud: true,
    required_claims: %w[exp iss aud sub]
  )
  puts claims.fetch('sub')
rescue JWT::DecodeError => e
  abort "#{e.class}: #{e.message}"
end
