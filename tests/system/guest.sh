#!/bin/sh
# The first process of the guest of kernel.sh: makes what a system has, runs
# the tests in /src/build/words, and ends the machine.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export HOME=/root TERM=dumb LC_ALL=C.UTF-8
# An emulator is slow: the tests are more patient; more of the same is less.
export PATIENCE=10 FLOW_SECONDS=2400 FLOW_JOBS=2 CORPUS_STEP=8
export EXACT_MIB=128 REUSE_VISITORS=1000 UPGRADE_ROUNDS=3

mountpoint -q /proc || mount -t proc proc /proc
mountpoint -q /sys || mount -t sysfs sysfs /sys
mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm
mountpoint -q /dev/pts || mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
ln -sfn /proc/self/fd /dev/fd
ip link set lo up
hostname guest
ulimit -n 1048576

cd /src || exit 1
echo "guest: $(uname -srvm)"
# shellcheck disable=SC2046
tests/run $(cat build/words)
echo "guest: $?"
sync
echo b >/proc/sysrq-trigger
sleep 60
