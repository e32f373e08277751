#!/bin/sh
# install.sh: everything that sets wardtap up, on a desk or on the appliance. ./install.sh help
#
# Three rules: the whole script is read before its first line runs (main is called at the very end, so a file cut short
# does nothing); every change goes through do_it, which --dry-run replaces by printing; a second run changes nothing.
set -eu
PATH=$PATH:/usr/sbin:/sbin

usage() {
    cat <<'TEXT'
On a desk, without root when Python 3.11 to 3.13 with venv is there:
  ./install.sh demo [--no-serve] [--capture FILE] [--broker URL] [--port N]
                               a recorded ward through sensor, spool, uplink, broker and collector
  ./install.sh test [PYTEST ARGUMENT...]
                               every check; with arguments, only the tests that they choose
  ./install.sh test --soak [ROW...] [--page FILE] [--lanes N]
                               the fault matrix in full, as root, an hour or two; its table goes into docs/reliability.md
  ./install.sh setup           only the virtual environment .venv

On the appliance, as root:
  ./install.sh install [--kit FILE]
                               lay this release, users, units, tap-leg rules; again after editing wardtap.toml;
                               with the kit of `wardtapctl enrol kit`: make this tap's key and ask to be entered
  ./install.sh stage           lay this release beside the one that runs, for a later update (`wardtapctl update-to`)
  ./install.sh update [NAME]   lay and switch to this release, or to one that lies there already
  ./install.sh rollback        back to the release before
  ./install.sh status          what runs, from which release, and whether its files are as laid
  ./install.sh uninstall [--purge]
                               remove all that; --purge also the site's configuration, the state and the users
  with --dry-run               print each change instead of making it
  with --root DIR              lay everything under DIR; users, services and this machine stay as they are
  with --no-venv               leave the release's Python environment out (a layout to look at, not to run)
TEXT
}

# ---- small words ---------------------------------------------------------------------------------------------------

say() { printf '%s\n' "$*"; }
die() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }
bad_use() { printf 'install.sh: %s; see ./install.sh help\n' "$*" >&2; exit 2; }
have() { command -v "$1" >/dev/null 2>&1; }
need_cmd() { have "$1" || die "needs the command '$1'${2:+ ($2)}"; }
is_root() { [ "$(id -u)" = 0 ]; }
# What --root leaves alone, said each time so that nobody takes a laid tree for a running one.
skip() { say "skipped: $*"; }

# do_it COMMAND...: the only way to change anything.
do_it() {
    changes=$((changes + 1))
    if [ "$dry_run" = yes ]; then say "would: $*"; else "$@"; fi
}

# on_disk [PLACE...]: as sync; a tree under --root is not what this machine starts from.
on_disk() { [ -n "$root" ] || sync "$@"; }

# ---- Debian packages and Python ------------------------------------------------------------------------------------

# apt_install PACKAGE...: as root on a Debian machine; elsewhere the caller says what is missing.
can_apt() { is_root && have apt-get; }
apt_install() {
    say "installing Debian packages: $*"
    # Noninteractive also answers tshark's question about a setuid dumpcap: no.
    do_it env DEBIAN_FRONTEND=noninteractive apt-get -q update
    do_it env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "$@"
}

# ensure_commands COMMAND:PACKAGE...: install what is missing, or print the packages that are.
ensure_commands() {
    missing=
    for pair in "$@"; do
        have "${pair%%:*}" || missing="$missing ${pair#*:}"
    done
    [ -n "$missing" ] || return 0
    # shellcheck disable=SC2086 # a list of package names
    can_apt && apt_install $missing
}

# Python 3.11 to 3.13, 64 bit (numba and llvmlite publish nothing else), able to make virtual environments.
python_fits() {
    "$1" -c 'import sys, venv, ensurepip
raise SystemExit(not ((3, 11) <= sys.version_info[:2] <= (3, 13) and sys.maxsize > 2**32))' >/dev/null 2>&1
}
search_python() {
    for candidate in ${WARDTAP_PYTHON:-} python3 python3.13 python3.12 python3.11 /usr/bin/python3; do
        if have "$candidate" && python_fits "$candidate"; then
            python=$(command -v "$candidate")
            return 0
        fi
    done
    return 1
}
find_python() {
    search_python && return 0
    if can_apt; then
        apt_install python3 python3-venv ca-certificates
        search_python && return 0
        [ "$dry_run" = no ] || { python=python3; return 0; }
    fi
    say "needs 64-bit Python 3.11, 3.12 or 3.13 with its venv module; found:" >&2
    for candidate in python3 python3.11 python3.12 python3.13; do
        have "$candidate" && say "  $(command -v "$candidate") ($("$candidate" --version 2>&1))" >&2
    done
    die "on Debian: apt-get install python3 python3-venv (as root, or run this script as root)"
}

# make_venv DIR LOCK COMMAND=MODULE...: idempotent; the stamp is written last, so an interrupted run is repeated.
make_venv() {
    venv=$1 lock=$2
    shift 2
    wanted="$(sha256sum <"$lock") $("$python" --version 2>&1) $*"
    if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/.laid" 2>/dev/null)" = "$wanted" ]; then
        say "Python environment: $venv is up to date"
        return 0
    fi
    say "Python environment: $venv from ${lock##*/} (a few minutes the first time)"
    "$venv/bin/python" -c 'import pip' 2>/dev/null || do_it "$python" -m venv --clear "$venv"
    do_it "$venv/bin/python" -m pip --disable-pip-version-check install --quiet --no-deps --only-binary :all: \
        --require-hashes -r "$lock"
    do_it link_package "$venv" "$@"
    do_it write_line "$wanted" "$venv/.laid"
}
write_line() { printf '%s\n' "$1" >"$2"; }

# The tree that holds the environment is the package: a relative .pth and small launchers, so that both may lie anywhere.
link_package() {
    venv=$1
    shift
    site=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    printf '../../../..\n' >"$site/wardtap.pth"
    for pair in "$@"; do
        # -P: a folder called "agent" where the person happens to stand must not be run in its place.
        cat >"$venv/bin/${pair%%=*}" <<LAUNCHER
#!/bin/sh
here=\$(dirname -- "\$(readlink -f -- "\$0")")
exec "\$here/python" -P -c 'import sys; sys.argv[0] = "${pair%%=*}"; from ${pair#*=} import main; sys.exit(main())' "\$@"
LAUNCHER
        chmod 0755 "$venv/bin/${pair%%=*}"
    done
}

# ---- on a desk -----------------------------------------------------------------------------------------------------

setup() {
    find_python
    make_venv "$here/.venv" "$here/firmware_config/locks/all.txt" \
        wardtap=agent.service.cli wardtap-collector=agent.collector.cli wardtapctl=agent.ctl.cli
    # Where PYTHONDONTWRITEBYTECODE is set every start would parse every file again. By content: a copied tree stays valid.
    do_it "$here/.venv/bin/python" -m compileall -q --invalidation-mode checked-hash "$here/agent" ||
        say "the Python files could not be compiled: every start does it"
    say "warming the kernels (half a minute the first time)"
    do_it "$here/.venv/bin/wardtap" warmup || say "the kernels could not be warmed: the first run compiles them"
}

demo() {
    setup
    [ "$dry_run" = no ] || { say "would: .venv/bin/python -m agent.service.demo $*"; return 0; }
    exec "$here/.venv/bin/python" -m agent.service.demo "$@"
}

# step NAME COMMAND...: run, time, remember.
step() {
    name=$1
    shift
    printf '\n==== %s\n' "$name"
    started=$(date +%s)
    verdict=ok
    "$@" || { verdict=FAILED; failed=$((failed + 1)); }
    report="$report$(printf '%-7s %4d s  %s' "$verdict" $(($(date +%s) - started)) "$name")
"
}
leave_out() {
    report="$report$(printf '%-7s %6s  %s' skipped '' "$*")
"
}

# pytest through tee: the person sees it run, and the closing line can stand at the very end. A folder of its own for
# each run: lanes that end would clear away each other's old ones, and one that stumbles over it has failed.
closing=
tests() {
    log=$(mktemp) base=$(mktemp -d)
    { "$py" -m pytest --basetemp "$base/pytest" "$@" && : >"$log.passed"; } 2>&1 | tee "$log" || :
    closing=$(tail -n 1 "$log")
    passed=1
    if [ -e "$log.passed" ]; then
        passed=0
        rm -rf --one-file-system "$base"
    fi
    rm -f "$log" "$log.passed"
    return "$passed"
}

run_tests() {
    ensure_commands mosquitto:mosquitto tshark:tshark ip:iproute2 tcpreplay:tcpreplay shellcheck:shellcheck \
        nft:nftables ethtool:ethtool systemd-analyze:systemd node:nodejs storescp:dcmtk dnsmasq:dnsmasq-base \
        udhcpc:udhcpc snmpget:snmp smbclient:smbclient curl:curl strace:strace mkfs.ext4:e2fsprogs mkfs.xfs:xfsprogs \
        faketime:faketime ||
        say "not installed (their tests are skipped):$missing"
    # Their packages start a service that answers the network: whoever owns this machine decides.
    for program in smbd:samba avahi-daemon:avahi-daemon; do
        have "${program%%:*}" || say "not installed here (its tests are skipped): ${program#*:}"
    done
    is_root || say "not root: tests with network namespaces and packet sockets are skipped"
    setup
    [ "$dry_run" = no ] || return 0
    cd "$here"
    py=$here/.venv/bin/python failed=0 report=
    if [ "${1:-}" = --soak ]; then
        shift
        is_root || die "the fault matrix mounts disks, cuts their power and shapes networks: it needs root"
        # Ends by itself: each row has its own bound (tests/faults/soak.py).
        exec "$py" -m tests.faults.soak "$@"
    fi
    if [ $# -gt 0 ]; then
        step "tests: $*" tests "$@"
    else
        all_steps
    fi
    printf '\n==== summary\n%s%s\n' "$report" "$closing"
    [ "$failed" = 0 ]
}

# Three lanes side by side: tests that wait for brokers, disks, interfaces and clocks leave a core idle nine tenths of
# their time, so each lane of them ends with a slow form of the kernels, and what only computes is a lane of its own.
breaking="tests/collector tests/faults" listening="tests/journeys tests/service tests/tap tests/uplink"
# The readers of hints are plain Python in any case.
kernels="tests/tap tests/packets tests/flows tests/devices --ignore=tests/packets/hints"
all_steps() {
    step "format (ruff format --check)" "$py" -m ruff format --check --quiet .
    step "lint (ruff check)" "$py" -m ruff check --quiet .
    if have shellcheck; then
        step "shell scripts (shellcheck)" shellcheck install.sh .ci/run
    else
        leave_out "shell scripts (shellcheck is not installed)"
    fi
    ensure_test_only
    lanes
}
lanes() {
    said=$(mktemp -d)
    beside breaking
    breaking_lane=$!
    beside listening
    listening_lane=$!
    trap 'kill "$breaking_lane" "$listening_lane" 2>/dev/null; exit 130' INT TERM
    computing
    wait "$breaking_lane" || failed=$((failed + 1))
    wait "$listening_lane" || failed=$((failed + 1))
    trap - INT TERM
    cat "$said/breaking" "$said/listening"
    report="$report$(cat "$said/breaking.report" "$said/listening.report" || say "FAILED        a lane of tests ended early")
"
    rm -r "$said"
}
beside() {
    (
        # shellcheck disable=SC2030 # the lane's own; it is read from the file below
        report='' failed=0
        "$1"
        printf '%s' "$report" >"$said/$1.report"
        exit "$failed"
    ) >"$said/$1" 2>&1 &
}
breaking() {
    # shellcheck disable=SC2086 # lists of folders, here and below
    step "tests that break things" tests $breaking
    # Its own cache: a cached kernel does not know whether it was compiled with bounds checks.
    # shellcheck disable=SC2086
    step "hostile input (NUMBA_BOUNDSCHECK=1)" with_env NUMBA_BOUNDSCHECK=1 XDG_CACHE_HOME="$here/.venv/boundscheck" \
        tests -q $kernels tests/fuzz --ignore=tests/fuzz/test_fuzz_hints.py
}
listening() {
    # shellcheck disable=SC2086
    step "tests that listen" tests $listening
    # Plain Python shows the lines that the compiled form hides, and reads past an array's end raise IndexError there.
    # Sockets (root) are no kernels.
    # shellcheck disable=SC2086
    step "kernels as plain Python (NUMBA_DISABLE_JIT=1)" with_env NUMBA_DISABLE_JIT=1 tests -q -m "not root" $kernels
}
computing() {
    step "types (mypy strict)" "$py" -m mypy
    # shellcheck disable=SC2046,SC2086 # one option for each folder
    step "tests that compute" tests $(printf -- '--ignore=%s ' $breaking $listening)
}
# The fuzzer is published for x86-64 only, the libraries that talk on a cable are large, and nothing else needs either:
# only the tests ask for them.
ensure_test_only() {
    ensure_module atheris fuzz.txt "coverage-guided fuzzing"
    ensure_module sdc11073,bacpypes3,hl7 peers.txt "SDC, BACnet and HL7 between real programs"
}
ensure_module() {
    "$py" -c "import $1" 2>/dev/null ||
        "$py" -m pip --disable-pip-version-check install --quiet --no-deps --only-binary :all: --require-hashes \
            -r "firmware_config/locks/$2" || leave_out "$3 ($1 cannot be installed)"
}
with_env() (
    while :; do
        case $1 in
        *=*) export "${1?}"; shift ;;
        *) break ;;
        esac
    done
    "$@"
)

# ---- the appliance: releases ----------------------------------------------------------------------------------------

release_name() {
    version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$here/agent/__init__.py")
    digest=$(cd "$here" && find agent firmware_config install.sh -type f ! -path "*/__pycache__/*" -print |
        LC_ALL=C sort | xargs sha256sum | sha256sum | cut -c 1-8)
    say "$version-$digest"
}
laid() { [ -f "$opt/releases/$1/manifest.sha256" ]; }
intact() { (cd "$opt/releases/$1" && sha256sum --quiet --strict -c manifest.sha256) >/dev/null 2>&1; }
target_of() { basename "$(readlink "$opt/$1" 2>/dev/null)" 2>/dev/null || :; }

copy_source() {
    (cd "$here" && find agent firmware_config install.sh LICENSE release.sealed -type f ! -path '*/__pycache__/*' \
        -print 2>/dev/null | tar -c -f - --owner=0 --group=0 --no-recursion -T -) | tar -x -f - -C "$1"
}
warm_release() { NUMBA_CACHE_DIR="$1/kernels" "$1/bin/wardtap" warmup; }
write_manifest() {
    chmod -R a+rX,go-w "$1"
    part=$1/manifest.sha256.part
    (cd "$1" && find . -type f ! -name 'manifest.sha256*' ! -name release.sealed -print0 | LC_ALL=C sort -z | xargs -0 sha256sum) >"$part"
    sync "$part"
    mv "$part" "$1/manifest.sha256"
}

# The environment is built where it will stay: kernels are cached under the path of their source. The manifest comes
# last; a release without one was interrupted and is laid again.
lay_release() {
    release=$opt/releases/$1
    if laid "$1"; then
        say "release $1: lies there already"
        if [ -f "$here/release.sealed" ] && ! cmp -s "$here/release.sealed" "$release/release.sealed"; then
            do_it cp "$here/release.sealed" "$release/release.sealed" # it was signed after it was laid
        fi
        return 0
    fi
    say "release $1: laying it"
    [ ! -e "$release" ] || do_it rm -rf "$release"
    do_it mkdir -p "$release/bin"
    do_it copy_source "$release"
    if [ "$no_venv" = yes ]; then
        skip "the release's Python environment (--no-venv)"
    else
        find_python
        make_venv "$release/venv" "$here/firmware_config/locks/appliance.txt" wardtap=agent.service.cli
        do_it ln -s ../venv/bin/wardtap "$release/bin/wardtap"
        # By content, not by time: the files stay valid however the tree was copied, and nothing is written at run time.
        do_it "$release/venv/bin/python" -m compileall -q --invalidation-mode unchecked-hash "$release/agent"
        do_it warm_release "$release" || die "the release's kernels do not compile here; nothing was switched"
    fi
    # What the manifest names is on the disk before it: after a power cut files of length 0 would be "laid" for ever.
    do_it on_disk -f "$release"
    do_it write_manifest "$release"
}

# A symbolic link changes by rename(2): at every instant it names one whole release.
point() {
    do_it ln -sfn "releases/$2" "$opt/.$1.new"
    do_it mv -T "$opt/.$1.new" "$opt/$1"
    do_it sync "$opt"
}
switch_to() {
    running=$(target_of current)
    if [ "$running" = "$1" ]; then
        say "release $1: is current"
        return 0
    fi
    [ -z "$running" ] || point previous "$running"
    point current "$1"
    [ "$dry_run" = yes ] || say "release $1: is current now${running:+ (before: $running)}"
}
prune() {
    for path in "$opt"/releases/*; do
        case $(basename "$path") in
        '*' | "$(target_of current)" | "$(target_of previous)" | "$1") ;;
        *) do_it rm -rf "$path" ;;
        esac
    done
}

# ---- the appliance: files -------------------------------------------------------------------------------------------

legs_of() { sed -n 's/^legs *= *\[\([^]]*\)\].*/\1/p' "$1" | tr -d "\"'" | tr ',' ' '; }
find_legs() {
    conf=$root/etc/wardtap/wardtap.toml
    [ -f "$conf" ] || conf=$source/firmware_config/etc/wardtap.toml
    legs=$(legs_of "$conf")
    # shellcheck disable=SC2086 # a list of names
    set -- $legs
    [ $# -gt 0 ] || die "$conf: no legs in [tap] (one line: legs = [\"eth1\"])"
    for leg in "$@"; do
        case $leg in
        *[!A-Za-z0-9_.]* | .*) die "$conf: '$leg' cannot be a tap leg: letters, digits, dot and underscore only" ;;
        esac
        [ ${#leg} -le 15 ] || die "$conf: '$leg' is longer than an interface name can be"
        [ -n "$root" ] || refuse_busy_leg "$leg"
    done
}
# Silencing the interface by which this machine is managed would lock its owner out.
refuse_busy_leg() {
    have ip || return 0
    if ip -o route show default 2>/dev/null | grep -q " dev $1 " ||
        ip -o -4 addr show dev "$1" 2>/dev/null | grep -q inet; then
        die "$1 carries this machine's own traffic (an address or the default route), so it cannot be a tap leg:" \
            "name the leg in /etc/wardtap/wardtap.toml, then run this again"
    fi
}

sum_of() {
    digest=$(sha256sum <"$1")
    say "${digest%% *}"
}
# render FILE LEG: a file of firmware_config as it is laid.
render() { sed -e "s/@LEG@/$2/g" -e "s/@LEG_ID@/$leg_id/g" "$1"; }
lay_file() {
    mkdir -p "$(dirname "$4")"
    render "$1" "$2" >"$4.wardtap-new"
    chmod "$3" "$4.wardtap-new"
    on_disk "$4.wardtap-new" # a new name may be there before its content
    mv "$4.wardtap-new" "$4"
}
# put KIND MODE FILE LEG PLACE: lay one file if it is not there as it should be, and note it.
put() {
    target=$root$5
    sum=$(render "$source/firmware_config/$3" "$4" | sha256sum)
    sum=${sum%% *}
    listing="$listing$1 $sum $5
"
    if [ -f "$target" ]; then
        [ "$1" != site ] || return 0
        [ "$(sum_of "$target")" != "$sum" ] || return 0
    fi
    do_it lay_file "$source/firmware_config/$3" "$4" "$2" "$target"
    files_changed=yes
}
lay_files() {
    find_legs
    listing=
    while read -r kind mode file place; do
        case $kind in
        '' | '#'*) ;;
        leg)
            for leg in $legs; do
                leg_id=$(printf %s "$leg" | tr . _)
                put leg "$mode" "$file" "$leg" "${place%@LEG@*}$leg${place##*@LEG@}"
            done
            ;;
        *) put "$kind" "$mode" "$file" - "$place" ;;
        esac
    done <"$source/firmware_config/layout.tsv"
    remove_stale
    [ "$listing" = "$(cat "$opt/installed" 2>/dev/null)
" ] || do_it write_listing "$opt/installed"
}
write_listing() { write_line "${listing%?}" "$1"; }
# A file that the release before laid and this one does not (a leg that is gone).
remove_stale() {
    [ -f "$opt/installed" ] || return 0
    while read -r kind sum place; do
        case "$listing" in *" $place
"*) continue ;; esac
        if [ "$kind" != site ] && [ -f "$root$place" ]; then
            do_it rm -f "$root$place"
            files_changed=yes
        fi
    done <"$opt/installed"
}

# ---- the appliance: this machine ------------------------------------------------------------------------------------

units="wardtap-clock.service wardtap-sensor.service wardtap-uplink.service wardtap-update.path"

system_packages() {
    [ -z "$root" ] || { skip "Debian packages (--root)"; return 0; }
    ensure_commands nft:nftables tc:iproute2 ethtool:ethtool systemctl:systemd systemd-sysusers:systemd ||
        die "missing Debian packages:$missing"
}
accounts() {
    [ -z "$root" ] || { skip "the two users and their folders under /var/lib/wardtap (--root)"; return 0; }
    if ! id -u wardtap-sensor >/dev/null 2>&1 || ! id -u wardtap-uplink >/dev/null 2>&1; then
        do_it systemd-sysusers /etc/sysusers.d/wardtap.conf
    fi
    if [ ! -d /var/lib/wardtap/requests ] || [ "$files_changed" = yes ]; then
        do_it systemd-tmpfiles --create /etc/tmpfiles.d/wardtap.conf
    fi
}
link_commands() {
    [ -L "$root/usr/local/bin/wardtap" ] && return 0
    do_it mkdir -p "$root/usr/local/bin"
    do_it ln -sfn /opt/wardtap/current/bin/wardtap "$root/usr/local/bin/wardtap"
}
services() {
    [ -z "$root" ] || { skip "enabling and starting $units (--root)"; return 0; }
    for unit in $units; do
        systemctl is-enabled --quiet "$unit" 2>/dev/null || do_it systemctl enable --quiet "$unit"
    done
    [ -d /run/systemd/system ] || { skip "starting services (systemd does not run here; they start at boot)"; return 0; }
    if [ "$files_changed" = yes ]; then
        do_it systemctl daemon-reload
        do_it udevadm control --reload || say "udev does not run here: a leg that is replugged is not silenced by itself"
        do_it systemctl restart systemd-sysctl.service
        restart_legs
    fi
    for unit in $units; do
        if [ "$files_changed$switched" != nono ] || ! systemctl is-active --quiet "$unit"; then
            do_it systemctl restart "$unit" || say "$unit did not start: journalctl -u $unit"
        fi
    done
    [ -z "$unsilenced" ] || return "$NOT_SILENT"
}
# A leg whose unit fails keeps nothing from running: what was silent before stays so. But a release that cannot silence a
# leg is not one to keep.
NOT_SILENT=4
restart_legs() {
    for leg in $legs; do
        # Without udev systemd knows no device, and a unit that is bound to it would wait for a minute and a half.
        systemctl is-active --quiet "sys-subsystem-net-devices-$leg.device" "wardtap-leg@$leg.service" || continue
        do_it systemctl restart "wardtap-leg@$leg.service" || {
            say "leg $leg may not be silent: journalctl -u wardtap-leg@$leg"
            unsilenced="$unsilenced $leg"
        }
    done
}

# ---- the appliance: commands ----------------------------------------------------------------------------------------

# From here one at a time: two installs at once would lay half of each.
begin() {
    [ -n "$root" ] || is_root || [ "$dry_run" = yes ] ||
        die "$command changes this machine and needs root: sudo ./install.sh $command"
    [ "$dry_run" = no ] || return 0
    mkdir -p "$opt"
    exec 9>"$opt/.lock"
    flock -n 9 || die "another install.sh is at work ($opt/.lock)"
}
finish() {
    case $changes$dry_run in
    0*) say "nothing to change" ;;
    *yes) say "$changes change(s) would be made" ;;
    *)
        on_disk # what is said to be done outlives a power cut
        say "done: $changes change(s)"
        ;;
    esac
}
activate() {
    source=$opt/releases/$1
    [ -d "$source" ] || source=$here
    before=$(target_of current)
    lay_files
    accounts
    link_commands
    switch_to "$1"
    switched=no
    [ "$before" = "$1" ] || switched=yes
    services
}

install() {
    begin
    system_packages
    name=$(release_name)
    source=$here
    find_legs
    lay_release "$name"
    activate "$name"
    # After an edit of wardtap.toml nothing is switched, and what was staged for an update stays.
    [ "$switched" = no ] || prune "$name"
    enrol
    finish
}
# As the user whose key it becomes; the kit is read by root, since nobody else need be able to.
enrol() {
    [ -n "$kit" ] || return 0
    [ -z "$root" ] || { skip "enrolment (--root)"; return 0; }
    need_cmd setpriv util-linux
    do_it enrol_with "$kit" || die "not enrolled; everything else is laid"
    do_it pin_keys "$kit" || die "enrolled, but the release keys could not be pinned: no update from afar"
}
# The release keys that an update asked for from afar is checked with are root's own copy: the uplink's is not asked.
pin_keys() { "$opt/current/bin/wardtap" release pin - --opt "$opt" <"$1"; }
enrol_with() (
    umask 027
    setpriv --reuid=wardtap-uplink --regid=wardtap-uplink --clear-groups -- "$opt/current/bin/wardtap" enrol --kit - \
        --config /etc/wardtap/wardtap.toml --state /var/lib/wardtap <"$1"
)

stage() {
    begin
    [ -n "$(target_of current)" ] || die "nothing is installed under $opt: ./install.sh install"
    lay_release "$(release_name)"
    finish
}
update() {
    begin
    [ -n "$(target_of current)" ] || die "nothing is installed under $opt: ./install.sh install"
    case ${1:-} in
    --requested)
        requested
        return
        ;;
    '')
        name=$(release_name)
        lay_release "$name"
        ;;
    *) name=$1 ;;
    esac
    change_to "$name"
    prune "$name"
    finish
}

# ---- an update that the uplink asks for (`wardtapctl update-to`) ---------------------------------------------------------
#
# request -> removed -> verified -> pending -> switched -> both programs have come up -> floor raised, answered `done`
#                                                       -> they have not               -> the one before, `failed`
# and then pending is removed. After a power cut at any point the pending file (or its absence) says what is left to do.

requested() {
    state=$root/var/lib/wardtap pending=$opt/update.pending
    if [ -f "$pending" ]; then
        read -r name before id <"$pending"
        if [ "$(head -c 33 "$opt/update.answer" 2>/dev/null)" = "$id " ]; then
            do_it rm -f "$pending" # it was judged and answered, and only that was left
            finish
            return 0
        fi
        say "release $name: the update was interrupted and goes on"
    else
        take_request
        before=$(target_of current)
    fi
    may_run || reject "$told"
    do_it write_line "$name $before $id" "$pending.part"
    do_it sync "$pending.part"
    do_it mv "$pending.part" "$pending"
    do_it sync "$opt" # before anything is changed: nobody would go on with what is not noted
    attempt change_to "$name"
    case $code in
    0) ;;
    "$NOT_SILENT") go_back "a leg's unit failed" ;;
    *) go_back "the switch failed" ;;
    esac
    [ "$dry_run" = no ] || { finish; return 0; }
    came_up "$name" || go_back "it did not come up in ${WARDTAP_UP_S:-120} s"
    do_it "$opt/current/bin/wardtap" release confirm "$name" --opt "$opt" || go_back "its floor could not be kept"
    answer 'done' ''
    do_it rm -f "$pending"
    prune "$name"
    finish
}
# The request is removed before it is obeyed: one that cannot be obeyed must not be tried again for ever. The uplink owns
# it, so nothing of it is believed, and nothing of it is shown but what has the form of a name.
take_request() {
    request=$state/update/request
    { [ -f "$request" ] && [ ! -L "$request" ]; } || { do_it rm -f "$request"; die "$request: no release is asked for"; }
    name=$(head -c 200 "$request" | head -n 1)
    id=$(head -c 200 "$request" | sed -n 2p)
    do_it rm -f "$request"
    case $id in *[!0-9a-f]* | '') die "the request names no command" ;; esac
    [ ${#id} = 32 ] || die "the request names no command"
    is_name "$name" || refused "that is not the name of a release"
}
is_name() {
    case $1 in '' | *[!A-Za-z0-9.+-]* | .* | -*) return 1 ;; esac
    [ ${#1} -le 64 ]
}
# Signed by two of the three keys that root pinned, every file as it was signed, not below the floor, not over - and that
# nobody holds this tap meanwhile.
may_run() {
    told="a clinical hold"
    [ ! -e "$state/uplink/hold.json" ] || [ "$(target_of current)" = "$name" ] || return 1
    told="the release that runs cannot verify another one"
    [ -x "$opt/current/bin/wardtap" ] || return 1
    told=$("$opt/current/bin/wardtap" release check "$name" --opt "$opt" --state "$state" 2>&1)
}
# What was switched to before the power went, and may not run after all, is left again.
reject() {
    [ "$(target_of current)" != "$name" ] || [ "$before" = "$name" ] || go_back "$1"
    refused "$1"
}
# attempt COMMAND...: in a shell of its own that ends at its first fault; `code` says how. No condition: in one, no fault
# ends anything.
attempt() {
    set +e
    (
        set -e
        "$@"
    )
    code=$?
    set -e
}
# Both programs write down which release they run, the sensor when it listens, the uplink when it has a link.
came_up() {
    left=${WARDTAP_UP_S:-120}
    while ! runs sensor/run.json "$1" || ! runs uplink/up.json "$1"; do
        [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        sleep 1
    done
    [ -n "$root" ] || settled
}
runs() { [ -f "$state/$1" ] && [ ! -L "$state/$1" ] && head -c 4096 "$state/$1" 2>/dev/null | grep -qF "\"release\": \"$2\""; }
# A program that comes up and falls again at once is up for a moment only.
settled() {
    [ -d /run/systemd/system ] || return 0
    sleep 10
    systemctl is-active --quiet wardtap-sensor.service && systemctl is-active --quiet wardtap-uplink.service
}
go_back() {
    say "release $name: $1; back to $before"
    attempt change_to "$before"
    if [ "$code" = "$NOT_SILENT" ]; then
        refused "$1; release $before runs again, but a leg may not be silent"
    elif [ "$code" != 0 ]; then
        answer failed "$1, and the release before could not be brought back"
        do_it rm -f "$pending"
        exit 1
    fi
    refused "$1; release $before runs again"
}
refused() {
    answer failed "$1"
    do_it rm -f "$pending"
    die "release asked for: $(printable "$1")"
}
printable() { printf %s "$1" | head -n 1 | LC_ALL=C tr -cd '[:print:]' | head -c 200; }
# answer STATE REASON: one line for the uplink, in a folder where only root writes.
answer() {
    do_it write_line "$id $1 $(printable "$2")" "$opt/update.answer.part"
    do_it sync "$opt/update.answer.part"
    do_it mv "$opt/update.answer.part" "$opt/update.answer"
    do_it sync "$opt"
}

change_to() {
    # What was asked for may come from a person's paste: it is not shown raw to a terminal.
    is_name "$1" || die "'$(printable "$1")' is not the name of a release"
    if laid "$1"; then
        intact "$1" || die "release $1 is not as it was laid (sha256sum -c manifest.sha256 in $opt/releases/$1)"
    else
        # A dry run has laid nothing, so it may not find it.
        [ "$dry_run" = yes ] || die "release $1 does not lie under $opt/releases"
    fi
    activate "$1"
}
rollback() {
    begin
    name=$(target_of previous)
    case $name in '' | "$(target_of current)") die "there is no release before this one" ;; esac
    change_to "$name"
    finish
}

status() {
    name=$(target_of current)
    [ -n "$name" ] || { say "wardtap is not installed${root:+ under $root}"; exit 3; }
    healthy=0
    for path in "$opt"/releases/*/; do
        each=$(basename "$path")
        word="as laid"
        if ! laid "$each"; then
            word="incomplete"
        elif ! intact "$each"; then
            word="DIFFERS from its manifest"
            healthy=1
        fi
        mark=
        [ "$each" != "$name" ] || mark=", current"
        [ "$each" != "$(target_of previous)" ] || mark="$mark, previous"
        say "release $each: $word$mark"
    done
    file_status
    [ -n "$root" ] || machine_status
    exit "$healthy"
}
file_status() {
    while read -r kind sum place; do
        if [ ! -f "$root$place" ]; then
            say "file    $place: MISSING"
            healthy=1
        elif [ "$(sum_of "$root$place")" != "$sum" ]; then
            if [ "$kind" = site ]; then
                say "file    $place: edited (the site's)"
            else
                say "file    $place: DIFFERS"
                healthy=1
            fi
        fi
    done <"$opt/installed"
}
machine_status() {
    for leg in $(legs_of /etc/wardtap/wardtap.toml); do
        if sent=$(cat "/sys/class/net/$leg/statistics/tx_packets" 2>/dev/null); then
            say "leg     $leg: $(cat "/sys/class/net/$leg/operstate"), $sent frames sent"
        else
            say "leg     $leg: not there"
        fi
    done
    [ -d /run/systemd/system ] || { say "unit    systemd does not run here"; return 0; }
    for unit in $units; do
        state=$(systemctl is-active "$unit") || healthy=1
        say "unit    $unit: $state"
    done
}

uninstall() {
    begin
    [ -e "$opt/installed" ] || say "no list of laid files in $opt"
    stop_services
    remove_files
    do_it rm -rf "$opt"
    [ ! -L "$root/usr/local/bin/wardtap" ] || do_it rm -f "$root/usr/local/bin/wardtap"
    if [ "$purge" = yes ]; then
        do_it rm -rf "$root/var/lib/wardtap" "$root/etc/wardtap"
        remove_accounts
    else
        say "kept: /var/lib/wardtap and the users that own it (--purge removes them)"
        remove_empty "$root/etc/wardtap/legs" "$root/etc/wardtap/broker" "$root/etc/wardtap"
    fi
    [ -n "$root" ] || [ ! -d /run/systemd/system ] || do_it systemctl daemon-reload
    finish
}
stop_services() {
    [ -z "$root" ] || { skip "stopping services (--root)"; return 0; }
    have systemctl || return 0
    for unit in $units; do
        systemctl is-enabled --quiet "$unit" 2>/dev/null || continue
        do_it systemctl disable --quiet "$unit"
    done
    # The legs keep their egress drop until the machine starts again: taking it away is not ours to decide.
    # shellcheck disable=SC2086 # a list of units
    [ ! -d /run/systemd/system ] || do_it systemctl stop $units
}
remove_files() {
    [ -f "$opt/installed" ] || return 0
    while read -r kind sum place; do
        [ -f "$root$place" ] || continue
        if [ "$kind" = site ] && [ "$purge" = no ] && [ "$(sum_of "$root$place")" != "$sum" ]; then
            say "kept: $place (edited; --purge removes it)"
        else
            do_it rm -f "$root$place"
        fi
    done <"$opt/installed"
    remove_empty "$root/etc/systemd/system/wardtap-uplink.service.d"
}
remove_empty() {
    for folder in "$@"; do
        [ -d "$folder" ] || continue
        if [ "$dry_run" = yes ]; then say "would: rmdir $folder (when empty)"; else rmdir "$folder" 2>/dev/null || :; fi
    done
}
remove_accounts() {
    [ -z "$root" ] || { skip "removing users (--root)"; return 0; }
    for user in wardtap-sensor wardtap-uplink; do
        ! id -u "$user" >/dev/null 2>&1 || do_it userdel "$user"
    done
}

# ---- the command line -----------------------------------------------------------------------------------------------

appliance() {
    need_cmd sha256sum coreutils
    need_cmd flock util-linux
    name_argument=
    while [ $# -gt 0 ]; do
        case $1 in
        --root)
            [ -d "${2:-}" ] || bad_use "--root needs an existing folder"
            root=$(cd "$2" && pwd -P)
            shift
            ;;
        --no-venv) no_venv=yes ;;
        --kit)
            [ "$command" = install ] || bad_use "--kit belongs to install"
            [ -f "${2:-}" ] || bad_use "--kit needs a file"
            kit=$2
            shift
            ;;
        --purge)
            [ "$command" = uninstall ] || bad_use "--purge belongs to uninstall"
            purge=yes
            ;;
        --requested | [!-]*)
            [ "$command$name_argument" = update ] || bad_use "$command does not take '$1'"
            name_argument=$1
            ;;
        *) bad_use "unknown option '$1'" ;;
        esac
        shift
    done
    [ "$root" != / ] || root=
    [ "$no_venv" = no ] || [ -n "$root" ] || bad_use "--no-venv makes a layout that cannot run: only with --root"
    opt=$root/opt/wardtap
    "$command" ${name_argument:+"$name_argument"}
}

main() {
    here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
    dry_run=no root='' no_venv=no purge=no kit='' changes=0 files_changed=no switched=no missing='' leg_id='' unsilenced=''
    command=${1:-help}
    [ $# -eq 0 ] || shift
    # --dry-run may stand anywhere.
    left=$#
    while [ "$left" -gt 0 ]; do
        if [ "$1" = --dry-run ]; then dry_run=yes; else set -- "$@" "$1"; fi
        shift
        left=$((left - 1))
    done
    case $command in
    help | -h | --help) usage ;;
    setup) [ $# -eq 0 ] || bad_use "setup takes no '$1'"; setup ;;
    demo) demo "$@" ;;
    test) run_tests "$@" ;;
    install | stage | update | rollback | status | uninstall) appliance "$@" ;;
    *) bad_use "unknown command '$command'" ;;
    esac
}

main "$@"
