/** Programs whose effect does not depend on their arguments, or whose arguments only make it more. */
import type { CommandEffect } from '../../../crds/bundle.ts';
import { list } from './words.ts';

const always: readonly (readonly [CommandEffect, string])[] = [
  [
    'Read',
    `: arch b2sum base32 base64 basename blkid break cal cat cd cksum cmp col column comm continue cut df diff diff3 dig
     dirname dirs du echo egrep exit expand expr factor false fgrep file findmnt fmt fold free getconf getent getopt
     grep groups head hexdump host hostid id iostat jobs join jq last lastlog locale logname look ls lsattr
     lsblk lscpu lsmod lsns lsof lspci lsusb md5sum mpstat namei netstat nl nproc nslookup numfmt od paste pathchk pgrep
     ping ping6 pidof pidstat popd pr printenv ps pstree pushd pwd pwdx readlink realpath return rev sar seq sha1sum
     sha224sum sha256sum sha384sum sha512sum shift size sleep stat strings sum tac tail times tr traceroute
     true tsort tty type ulimit umask uname unexpand uptime vmstat w wait wc whatis whereis which who whoami whois
     yes zcat zgrep zless bzcat xzcat bzgrep xzgrep bc set shopt cloc tokei nm objdump
     readelf uuidgen`,
  ],
  [
    'Write',
    `tee cp mv mkdir touch ln install chmod chown chgrp setfacl setfattr mkfifo mknod patch split csplit useradd usermod
     groupadd groupmod adduser addgroup passwd chpasswd chsh chfn mount umount swapon modprobe insmod ldconfig sysctl
     scp sftp unzip zip gzip gunzip bzip2 bunzip2 xz unxz zstd unzstd 7z cpio ar ex ed dos2unix unix2dos wget logger
     ssh-keygen openssl gpg at batch mktemp write wall mail sendmail`,
  ],
  [
    'Destructive',
    `rm rmdir unlink shred srm truncate wipefs mkfs fdisk sfdisk cfdisk sgdisk gdisk parted mkswap swapoff kill killall pkill
     skill shutdown reboot halt poweroff init telinit userdel groupdel deluser delgroup rmmod lvremove vgremove pvremove
     lvreduce cryptsetup hdparm blkdiscard badblocks flashrom debugfs tune2fs resize2fs zpool dropdb dropuser vacuumdb`,
  ],
  [
    'Dynamic',
    `make cmake ninja gradle mvn ant cargo go rustc gcc cc clang python python2 python3 node nodejs deno bun perl ruby php lua
     tclsh expect osascript pwsh powershell npx bunx vi vim nvim nano emacs nc ncat netcat socat telnet tmux screen gdb
     lldb ansible ansible-playbook salt puppet chef vagrant packer source . eval trap alias unalias enable bind complete coproc
     rg fd bat ldd less more man watch`,
  ],
];

export const alwaysEffects: ReadonlyMap<string, CommandEffect> = new Map(
  always.flatMap(([effect, names]) => list(names).map((name) => [name, effect] as const)),
);

/** mkfs.ext4, mkfs.xfs and so on. */
export const destructiveFamilies = /^(mkfs|fsck|mke2fs)(\.|$)/;

/** Where an absolute path still means the program of that name. */
export const systemFolders = new Set(list('/bin /sbin /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin'));
