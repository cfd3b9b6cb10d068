#!/usr/bin/env bash
# Measures everything and prints the tables, which results/report.md keeps.
#
#   ./run.sh                                  all of it
#   ROUNDS=3 BENCHTIME=50ms IMPORT=0 ./run.sh  a quick look
#   BENCH='^Benchmark(Get|Post)$' ./run.sh     some suites alone
#
# ROUNDS     rounds, each of which runs every contestant in every suite once
# BENCHTIME  time for each of them in a round
# BENCH      pattern of the suites
# UPLOAD     MiB that the upload table sends
# IMPORT     0: without the table of what importing costs
# QUIET      percentage of the machine that others may take in a round that counts
# PATIENCE   seconds, in all, to wait for others to leave the machine alone
set -euo pipefail
cd "$(dirname "$0")"

ROUNDS=${ROUNDS:-20} BENCHTIME=${BENCHTIME:-100ms} BENCH=${BENCH:-.} UPLOAD=${UPLOAD:-1024}
IMPORT=${IMPORT:-1} QUIET=${QUIET:-10} PATIENCE=${PATIENCE:-120}
export GOMAXPROCS=${GOMAXPROCS:-2}
# What would change the peers' behaviour, or the garbage collector's.
unset "${!OPENAI_@}" GODEBUG GOGC GOMEMLIMIT

mkdir -p results
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
go test -c -o "$work/bench.test" .
go build -o "$work/report" ./cmd/report

# busy prints the percentage of the machine that is in use over half a second.
busy() {
	local before after
	before=$(grep '^cpu ' /proc/stat)
	sleep 0.5
	after=$(grep '^cpu ' /proc/stat)
	awk -v b="$before" -v a="$after" 'BEGIN {
		split(b, x); n = split(a, y)
		for (i = 2; i <= 9 && i <= n; i++) all += y[i] - x[i]
		idle = y[5] - x[5] + y[6] - x[6]
		print all ? int(100 * (all - idle) / all) : 0
	}'
}

wait_for_quiet() {
	[ -r /proc/stat ] || return 0
	while [ "$PATIENCE" -gt 0 ] && [ "$(busy)" -gt "$QUIET" ]; do
		sleep 1.5
		PATIENCE=$((PATIENCE - 2))
	done
}

# tables prints what a test has to say, failed or not: a goal that is missed
# stands below its table.
tables() {
	echo
	{ "$work/bench.test" -test.v -test.run "$1" "${@:2}" || true; } >"$work/said"
	sed -n 's/^        //p' "$work/said" | sed '/^$/d; s/^\([0-9]* MiB.*\)/\1\n/'
	echo
	sed -n 's/^    [a-z]*_test.go:[0-9]*: \(..*\)/- missed: \1/p' "$work/said"
}

# Every call is checked before any is measured.
"$work/bench.test" -test.v -test.run 'TestContestants|TestConnections' >"$work/check" || {
	cat "$work/check"
	exit 1
}
grep '^# \(wire\|connections\)' "$work/check" >results/rounds.txt
for ((round = 0; round < ROUNDS; round++)); do
	wait_for_quiet
	echo "round $((round + 1)) of $ROUNDS" >&2
	echo "# round $round" >>results/rounds.txt
	BENCH_ROUND=$round "$work/bench.test" -test.run '^$' -test.bench "$BENCH" -test.benchtime "$BENCHTIME" >>results/rounds.txt
done

{
	echo "$(go version | cut -d' ' -f3,4), $(nproc) CPUs ($(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)), $(uname -sr), GOMAXPROCS=$GOMAXPROCS, $ROUNDS rounds of $BENCHTIME"
	echo
	echo "## Beside the peers"
	echo
	"$work/report" -quiet "$QUIET" <results/rounds.txt
	echo
	echo "## Uploads"
	tables '^TestUpload$' -upload "$UPLOAD"
	echo
	echo "## Goodput"
	for plan in Sandbox Standard Starter Professional; do
		for kind in plan headers; do
			echo
			echo "### $plan, by the $kind"
			tables "^TestGoodput\$/^$plan\$/^$kind\$"
		done
	done
	for kind in TestVerifications TestTwoClients TestQueue; do
		echo
		echo "### ${kind#Test}"
		tables "^$kind\$"
	done
	echo
	echo "## Waiting"
	tables '^TestWaiting$'
	if [ "$IMPORT" != 0 ]; then
		echo
		echo "## Import cost"
		echo
		go run ./cmd/importcost
	fi
} | tee results/report.md
