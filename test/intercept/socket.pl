#!/usr/bin/perl
# Sockets of every kind that a container can open, most of which Node cannot: what listens and what tries.
#
#   socket.pl serve NAME KIND,HOST,PORT…              answers "NAME:PORT" to whatever arrives; prints "ready"
#   socket.pl try KIND HOST PORT [OPTION=VALUE…]      one attempt; prints one line:
#       answered TEXT | refused ERRNO | silence
#
# KIND: tcp mptcp udp udplite sctp ping raw packet. Options: source=PORT, device=NAME, fastopen=1, user=UID, wait=SECONDS
use strict;
use warnings;
use Socket qw(:all);
use Errno ();

# The kernel's numbers, where Perl has no name for them.
my %KINDS = (
    tcp     => [ SOCK_STREAM, IPPROTO_TCP ],
    mptcp   => [ SOCK_STREAM, 262 ],
    udp     => [ SOCK_DGRAM,  IPPROTO_UDP ],
    udplite => [ SOCK_DGRAM,  136 ],
    sctp    => [ SOCK_STREAM, 132 ],
    raw     => [ SOCK_RAW,    253 ],
);
use constant { MSG_FASTOPEN => 0x20000000, TCP_FASTOPEN => 23, AF_PACKET => 17, SO_BINDTODEVICE => 25 };

$SIG{PIPE} = 'IGNORE';
$| = 1;
my $verb = shift @ARGV // '';
if    ( $verb eq 'serve' ) { serve(@ARGV) }
elsif ( $verb eq 'try' )   { try(@ARGV) }
else                       { die "serve or try\n" }

sub address {
    my ( $host, $port ) = @_;
    my ( $error, $found ) =
      getaddrinfo( $host, $port, { flags => AI_NUMERICHOST, socktype => SOCK_STREAM } );
    die "$host: $error\n" if $error;
    return @$found{qw(family addr)};
}

sub done {
    print "$_[0]\n";
    exit 0;
}

sub refused {
    my ($error) = grep { $!{$_} } keys %!;
    done( 'refused ' . ( $error // $! ) );
}

sub serve {
    my ( $name, @listeners ) = @_;
    my %of;
    for my $listener (@listeners) {
        my ( $kind, $host, $port ) = split /,/, $listener;
        my ( $family, $addr ) = address( $host, $port );
        my ( $type, $protocol ) = @{ $KINDS{$kind} };
        my $opened = socket( my $socket, $family, $type, $protocol );
        next if $!{EPROTONOSUPPORT} && !$opened;
        die "$listener: $!\n" unless $opened;
        setsockopt( $socket, SOL_SOCKET, SO_REUSEADDR, 1 );
        setsockopt( $socket, IPPROTO_TCP, TCP_FASTOPEN, 5 ) if $kind eq 'tcp';
        bind( $socket, $addr ) or die "$listener: $!\n";
        listen( $socket, 16 ) or die "$listener: $!\n" if $type == SOCK_STREAM;
        $of{ fileno $socket } = { socket => $socket, type => $type, answer => "$name:$port" };
    }
    print "ready\n";
    while (1) {
        my $wanted = '';
        vec( $wanted, $_, 1 ) = 1 for keys %of, fileno STDIN;
        next if select( my $ready = $wanted, undef, undef, undef ) < 1;
        # Whoever started it has ended.
        exit 0 if vec( $ready, fileno STDIN, 1 );
        for my $fd ( grep { vec( $ready, $_, 1 ) } keys %of ) { answer( $of{$fd} ) }
    }
}

sub answer {
    my ($listener) = @_;
    if ( $listener->{type} == SOCK_STREAM ) {
        my $peer = accept( my $connection, $listener->{socket} ) or return;
        syswrite( $connection, "$listener->{answer}\n" );
        close $connection;
    }
    else {
        my $from = recv( $listener->{socket}, my $text, 2048, 0 );
        send( $listener->{socket}, "$listener->{answer}\n", 0, $from ) if $from;
    }
}

sub try {
    my ( $kind, $host, $port, @options ) = @_;
    my %option = map { split /=/, $_, 2 } @options;
    if ( defined $option{user} ) { become( $option{user} ) }
    my ( $family, $addr ) = address( $host, $kind eq 'raw' || $kind eq 'ping' ? 0 : $port );
    my ( $type, $protocol ) =
        $kind eq 'ping'   ? ( SOCK_DGRAM, $family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP )
      : $kind eq 'packet' ? ( SOCK_RAW, 0x0300 )
      :                     @{ $KINDS{$kind} };
    socket( my $socket, $kind eq 'packet' ? AF_PACKET : $family, $type, $protocol ) or refused();
    done('answered socket') if $kind eq 'packet';
    if ( $option{device} ) { setsockopt( $socket, SOL_SOCKET, SO_BINDTODEVICE, "$option{device}\0" ) or refused() }
    if ( $option{source} ) {
        my ( undef, $own ) = address( $family == AF_INET6 ? '::' : '0.0.0.0', $option{source} );
        bind( $socket, $own ) or refused();
    }
    local $SIG{ALRM} = sub { done('silence') };
    alarm( $option{wait} // 1 );
    my $echo = pack( 'C2 n3 a*', $family == AF_INET6 ? 128 : 8, 0, 0, 1, 1, 'ping' );
    my $text = $kind eq 'ping' ? $echo : "hello\n";
    if ( $type == SOCK_STREAM && !$option{fastopen} ) { connect( $socket, $addr ) or refused() }
    elsif ( !defined send( $socket, $text, $option{fastopen} ? MSG_FASTOPEN : 0, $addr ) ) { refused() }
    done('answered sent') if $kind eq 'raw';
    defined recv( $socket, my $answer, 2048, 0 ) or refused();
    done('answered echo') if $kind eq 'ping';
    chomp $answer;
    done( $answer eq '' ? 'silence' : "answered $answer" );
}

sub become {
    my ($user) = @_;
    $! = 0;
    $( = $user;
    $) = "$user $user";
    $< = $user;
    $> = $user;
    $! = Errno::EPERM, refused() if $> != $user || $< != $user;
}
