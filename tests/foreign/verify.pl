# Checks an access token as a service written in Perl would, with Crypt::JWT.
#
# verify.pl JWKS-FILE TOKEN ISSUER AUDIENCE prints the subject, or says why not and exits 1.

use strict;
use warnings;
use Crypt::JWT qw(decode_jwt);

my ( $file, $token, $issuer, $audience ) = @ARGV;
open my $handle, '<:raw', $file or die "$file: $!\n";
my $published = do { local $/; <$handle> };
close $handle;

# By itself Crypt::JWT 0.034 compares an audience only if it is a single string.
my $for_us = sub {
    my ($aud) = @_;
    return grep { $_ eq $audience } ref $aud ? @{$aud} : $aud;
};
my $claims = eval {
    decode_jwt(
        token        => $token,
        kid_keys     => $published,
        accepted_alg => [ 'ES256', 'EdDSA' ],
        verify_iss   => $issuer,
        verify_aud   => $for_us,
        verify_exp   => 1,
        verify_sub   => qr/./,
    );
};
if ($@) {
    print {*STDERR} $@;
    exit 1;
}
print "$claims->{sub}\n";
