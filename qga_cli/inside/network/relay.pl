# The guest's end of a tunnel, as relay.py and mux.py, for guests without Python: Perl 5.14 and the
# modules of Debian's perl-base. The frames are explained in frames.py.
use strict;
use warnings;
use Errno qw(EAGAIN EINTR EINPROGRESS);
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use Socket qw(:DEFAULT :addrinfo IPPROTO_TCP TCP_NODELAY AF_INET6 inet_pton inet_ntop
    pack_sockaddr_in6 unpack_sockaddr_in6 SO_LINGER);

my ($OPEN, $OPENED, $FAILED, $DATA, $WINDOW, $END, $RESET, $LISTEN) = (1 .. 8);
my $HEADER = 9;
my ($LONGEST, $GRANTED, $CONNECTIONS) = (32768, 262144, 200);
my ($FULL, $FLOOD, $PIECE) = (1048576, 8388608, 65536);

my (%connections, %listeners, %resolving);
my ($out, $inbox, $next, $highest) = ('', '', 2, 0);

sub say_frame {
    my ($kind, $number, $payload) = @_;
    $out .= pack('CNN', $kind, $number, length $payload) . $payload;
    die "nobody reads the link\n" if length $out > $FLOOD;
}

sub drop {
    my ($c, $abort) = @_;
    return unless delete $connections{ $c->{number} };
    return unless $c->{socket};
    setsockopt($c->{socket}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0)) if $abort;
    close $c->{socket};
}

sub fail {
    my ($c, $why) = @_;
    say_frame($FAILED, $c->{number}, substr $why, 0, 200);
    drop($c);
}

sub broken {
    my ($c) = @_;
    say_frame($RESET, $c->{number}, '');
    drop($c, 1);
}

# Whether a call has failed because it would have waited. A port that is unplugged fails for good.
sub may_be_later { return $!{EAGAIN} || $!{EINTR} }

sub unblock {
    my ($handle, $off) = @_;
    my $flags = fcntl($handle, F_GETFL, 0);
    fcntl($handle, F_SETFL, $off ? $flags & ~O_NONBLOCK : $flags | O_NONBLOCK);
}

sub connection {
    my ($number, $socket) = @_;
    return $connections{$number} = {
        number => $number, socket => $socket, why => '', candidates => [], pending => '',
        credit => $GRANTED, allowed => $GRANTED, taken => 0,
    };
}

sub dialed {
    my ($c) = @_;
    $c->{dialing} = 0;
    say_frame($OPENED, $c->{number}, '');
}

sub connected {
    my ($c) = @_;
    my $number = unpack 'i', getsockopt($c->{socket}, SOL_SOCKET, SO_ERROR);
    if ($number) {
        local $! = $number;
        $c->{why} ||= "$!";
        close $c->{socket};
        $c->{socket} = undef;
        return try($c);
    }
    setsockopt($c->{socket}, IPPROTO_TCP, TCP_NODELAY, 1) if $c->{family} != AF_UNIX;
    dialed($c);
}

sub try {
    my ($c) = @_;
    while (my $one = shift @{ $c->{candidates} }) {
        my ($family, $address) = @$one;
        if (!socket my $socket, $family, SOCK_STREAM, 0) { $c->{why} ||= "$!" }
        else {
            unblock($socket);
            my $done = connect $socket, $address;
            if ($done || $!{EINPROGRESS}) {
                @$c{ 'socket', 'family' } = ($socket, $family);
                connected($c) if $done;
                return;
            }
            $c->{why} ||= "$!";
        }
    }
    fail($c, $c->{why} || 'no address');
}

# A name takes its time, so a process of its own looks it up.
sub resolve {
    my ($c, $host, $port) = @_;
    return fail($c, 'too many names are being looked up') if keys %resolving >= $CONNECTIONS;
    return fail($c, "no host's name") if length $host > 253 || $host =~ /[^\x21-\x7e]/;
    pipe(my $told, my $tell) or return fail($c, "$!");
    my $child = fork;
    return fail($c, "$!") unless defined $child;
    if (!$child) {
        # It may take long, and holds neither the ports nor anybody's connection meanwhile.
        close $_ for \*STDIN, \*STDOUT, $told, map { $_->[0] } values %listeners;
        $_->{socket} && close $_->{socket} for values %connections;
        my ($error, @found) = getaddrinfo($host, $port, { socktype => SOCK_STREAM });
        my $text = join '', map { "$_->{family} " . unpack('H*', $_->{addr}) . "\n" } @found;
        syswrite $tell, $error ? "$host: $error" : $text;
        require POSIX;
        POSIX::_exit(0);
    }
    close $tell;
    $resolving{ fileno $told } = [$told, $child, $c->{number}, ''];
}

sub resolved {
    my ($number) = @_;
    my $one = $resolving{$number};
    return if sysread $one->[0], $one->[3], 4096, length $one->[3];
    delete $resolving{$number};
    waitpid $one->[1], 0;
    my $c = $connections{ $one->[2] } or return;
    my @lines = $one->[3] =~ /^(\d+) ([0-9a-f]+)$/mg;
    $c->{why} = $one->[3] unless @lines;
    while (my ($family, $address) = splice @lines, 0, 2) {
        push @{ $c->{candidates} }, [$family, pack 'H*', $address];
    }
    try($c);
}

sub asked {
    my ($number, $payload) = @_;
    my $c = connection($number);
    $c->{dialing} = 1;
    my ($kind, $rest) = split / /, $payload, 2;
    if ($kind eq 'unix') {
        $c->{candidates} = [[AF_UNIX, pack_sockaddr_un($rest)]];
        return try($c);
    }
    my ($port, $host) = split / /, $rest, 2;
    my $four = inet_pton(AF_INET, $host // '127.0.0.1');
    my $six = inet_pton(AF_INET6, $host // '::1');
    push @{ $c->{candidates} }, [AF_INET, pack_sockaddr_in($port, $four)] if $four;
    push @{ $c->{candidates} }, [AF_INET6, pack_sockaddr_in6($port, $six)] if $six;
    $four || $six ? try($c) : resolve($c, $host, $port);
}

# Listens at `PORT HOST`, and tells where.
sub heed {
    my ($number, $payload) = @_;
    my ($port, $host) = split / /, $payload, 2;
    my $family = $host =~ /:/ ? AF_INET6 : AF_INET;
    my ($error, @found) = getaddrinfo($host, $port, { socktype => SOCK_STREAM, family => $family });
    return say_frame($FAILED, $number, "$error") if $error;
    my $socket;
    my $good = socket($socket, $family, SOCK_STREAM, 0)
        && setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1)
        && bind($socket, $found[0]{addr}) && listen($socket, 128);
    return say_frame($FAILED, $number, "$!") unless $good;
    unblock($socket);
    my ($found, $address) = $family == AF_INET
        ? unpack_sockaddr_in(getsockname $socket) : unpack_sockaddr_in6(getsockname $socket);
    $listeners{ fileno $socket } = [$socket, $number];
    say_frame($OPENED, $number, "$found " . inet_ntop($family, $address));
}

sub flush_pending {
    my ($c) = @_;
    return if $c->{dialing};
    while (length $c->{pending}) {
        my $count = syswrite $c->{socket}, $c->{pending};
        if (!defined $count) {
            return if may_be_later();
            return broken($c);
        }
        substr($c->{pending}, 0, $count) = '';
        $c->{taken} += $count;
        if ($c->{taken} >= $GRANTED / 2 && !$c->{ended}) {
            say_frame($WINDOW, $c->{number}, pack 'N', $c->{taken});
            $c->{allowed} += $c->{taken};
            $c->{taken} = 0;
        }
    }
    return unless $c->{ended} && !$c->{shut};
    $c->{shut} = 1;
    shutdown $c->{socket}, 1;
    drop($c) if $c->{sent_end};
}

sub pull {
    my ($c) = @_;
    my $most = $c->{credit} < $LONGEST ? $c->{credit} : $LONGEST;
    my $count = sysread($c->{socket}, my $data, $most);
    if (!defined $count) {
        broken($c) unless may_be_later();
        return;
    }
    if ($count) {
        $c->{credit} -= $count;
        return say_frame($DATA, $c->{number}, $data);
    }
    $c->{sent_end} = 1;
    say_frame($END, $c->{number}, '');
    drop($c) if $c->{shut};
}

sub act {
    my ($kind, $number, $payload) = @_;
    if ($kind == $OPEN) {
        die "a number that is not new\n" if $number <= $highest || !($number % 2);
        $highest = $number;
        return asked($number, $payload) if keys %connections < $CONNECTIONS;
        return say_frame($FAILED, $number, 'too many connections at a time');
    }
    return heed($number, $payload) if $kind == $LISTEN;
    die "a frame of an unknown kind\n" if $kind > $LISTEN || !$kind;
    my $c = $connections{$number} or return;
    if ($kind == $DATA) {
        $c->{allowed} -= length $payload;
        die "more than was granted\n" if $c->{allowed} < 0 || $c->{ended} || $c->{waiting};
        $c->{pending} .= $payload;
        flush_pending($c);
    }
    elsif ($kind == $WINDOW) {
        $c->{credit} += unpack 'N', $payload;
        die "a grant of more than was sent\n" if $c->{credit} > $GRANTED;
    }
    elsif ($kind == $END) { $c->{ended} = 1; flush_pending($c) }
    elsif ($kind == $RESET || $kind == $FAILED) { drop($c, 1) }
    else { $c->{waiting} = 0 }
}

sub feed {
    my $at = 0;
    while (length($inbox) - $at >= $HEADER) {
        my ($kind, $number, $length) = unpack 'CNN', substr $inbox, $at, $HEADER;
        die "a frame that is too long\n" if $length > $LONGEST;
        last if length($inbox) - $at - $HEADER < $length;
        my $payload = substr $inbox, $at + $HEADER, $length;
        $at += $HEADER + $length;
        act($kind, $number, $payload);
    }
    substr($inbox, 0, $at) = '';
}

sub come {
    my ($socket, $tag) = @{ $_[0] };
    accept(my $new, $socket) or return;
    unblock($new);
    setsockopt($new, IPPROTO_TCP, TCP_NODELAY, 1);
    my $c = connection($next, $new);
    $next += 2;
    $c->{waiting} = 1;
    say_frame($OPEN, $c->{number}, pack 'N', $tag);
}

# Waits until something can be moved, and moves it; false when the host has gone.
sub turn {
    my ($read, $write) = ('', '');
    vec($read, 0, 1) = 1;
    vec($write, 1, 1) = 1 if length $out;
    vec($read, $_, 1) = 1 for keys %resolving;
    if (keys %connections < $CONNECTIONS) { vec($read, $_, 1) = 1 for keys %listeners }
    for my $c (values %connections) {
        my $number = $c->{socket} ? fileno $c->{socket} : next;
        vec($write, $number, 1) = 1 if $c->{dialing} || length $c->{pending};
        vec($read, $number, 1) = 1
            if length $out < $FULL && $c->{credit} && !$c->{dialing} && !$c->{waiting}
            && !$c->{sent_end};
    }
    select $read, $write, undef, undef;
    # First what was found: a new connection may have the descriptor of one that goes.
    for my $number (keys %resolving) { resolved($number) if vec $read, $number, 1 }
    for my $number (keys %listeners) { come($listeners{$number}) if vec $read, $number, 1 }
    for my $c (values %connections) {
        my $number = $c->{socket} ? fileno $c->{socket} : next;
        if ($c->{dialing}) { connected($c) if vec $write, $number, 1; next }
        flush_pending($c) if length $c->{pending} && vec $write, $number, 1;
        next unless $connections{ $c->{number} };
        next if $c->{waiting} || $c->{sent_end} || !$c->{credit};
        pull($c) if vec $read, $number, 1;
    }
    if (vec $read, 0, 1) {
        # A port gives a page at a time (fill_readbuf in Linux's virtio_console.c).
        my ($count, $had) = (undef, length $inbox);
        while (length($inbox) - $had < $PIECE) {
            $count = sysread STDIN, $inbox, $PIECE, length $inbox;
            last unless $count;
        }
        my $later = !defined $count && may_be_later();
        return 0 if !$count && !$later && length $inbox == $had;
        feed() if length $inbox > $had;
    }
    while (length $out) {    # a port takes 32 KiB at a time
        my $count = syswrite STDOUT, $out, $PIECE;
        if (!defined $count) {
            return 0 unless may_be_later();
            last;
        }
        substr($out, 0, $count) = '';
    }
    return 1;
}

$SIG{PIPE} = 'IGNORE';
say_frame($OPENED, 0, '');
unblock(\*STDIN);
unblock(\*STDOUT);
eval { 1 while turn() };
my $error = $@;
unblock(\*STDOUT, 1);    # a shell says how we ended there
die $error if $error;
