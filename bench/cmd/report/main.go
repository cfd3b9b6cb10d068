// Command report makes Markdown tables of the rounds that run.sh has measured,
// which it reads from standard input.
//
// A ratio is taken within a round, where both sides had the same machine, and
// then the median over the rounds. Other figures are medians over the rounds.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// enough is how many quiet rounds it takes to leave the others out.
const enough = 6

var suites = []struct{ name, title string }{
	{"Get", "GET over loopback, one caller, each library's own HTTP client"},
	{"Post", "POST over loopback, one caller"},
	{"Get16", "GET over loopback, 16 callers, all on a transport that keeps every connection"},
	{"GetMemory", "GET in memory: the library and http.Client without sockets"},
	{"PostMemory", "POST in memory"},
	{"Decode", "json.Unmarshal of the GET's answer into the library's type alone"},
	{"Webhook", "Webhook: an event of 600 bytes verified and decoded"},
	{"Upload", "Upload: a multipart form with a file over loopback"},
	{"Server", "The server and the round trip alone: ready-made bytes over a bare connection"},
}

// sample is what one contestant did in one round: unit → value.
type sample map[string]float64

// results are suite → contestant → round → sample.
type results struct {
	samples map[string]map[string]map[int]sample
	order   map[string][]string // suite → contestants as first seen
	others  map[int]float64     // round → percentage of the machine that others took
	lines   map[string][][]string
}

func main() {
	floor := flag.String("floor", "hand-assembled", "contestant that ratios refer to")
	quiet := flag.Float64("quiet", 10, "percentage of the machine that others may take in a quiet round")
	flag.Parse()
	r, err := read(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "report:", err)
		os.Exit(1)
	}
	measured := len(r.others)
	used := r.keepQuiet(*quiet)
	fmt.Printf("%d of %d rounds count, in the median of which other processes took %.1f %% of the machine. "+
		"Figures are medians over the rounds; ± is half the interquartile range; "+
		"x is the median of the rounds' own ratios to `%s`, + what is more than there.\n",
		used, measured, median(slices.Collect(maps.Values(r.others))), *floor)
	r.summary("CPU", "cpu-ns/op", *floor)
	r.summary("Allocations", "allocs/op", *floor)
	for _, s := range suites {
		r.table(s.name, s.title, *floor)
	}
	r.plain("wire", "Requests on the wire", "contestant | method | head bytes | header fields | body bytes")
	r.plain("connections", "Connections of 16 callers with 100 GETs each, each library's own HTTP client",
		"contestant | calls | connections, even start | ragged start")
}

var benchmarkLine = regexp.MustCompile(`^Benchmark(\w+)/(\S+?)(?:-\d+)?\s+\d+\s+(.*)$`)

// read takes in lines of go test -bench, between comments that tell what they
// belong to.
func read(in io.Reader) (*results, error) {
	r := &results{
		samples: map[string]map[string]map[int]sample{},
		order:   map[string][]string{},
		others:  map[int]float64{},
		lines:   map[string][][]string{},
	}
	round := 0
	scanner := bufio.NewScanner(in)
	for scanner.Scan() {
		line := scanner.Text()
		if m := benchmarkLine.FindStringSubmatch(line); m != nil {
			r.add(m[1], m[2], round, parse(m[3]))
			continue
		}
		fields := strings.Fields(line)
		if len(fields) < 3 || fields[0] != "#" {
			continue
		}
		switch fields[1] {
		case "round":
			round, _ = strconv.Atoi(fields[2])
		case "others":
			r.others[round], _ = strconv.ParseFloat(fields[2], 64)
		case "wire", "connections":
			r.lines[fields[1]] = append(r.lines[fields[1]], fields[2:])
		}
	}
	if len(r.samples) == 0 && scanner.Err() == nil {
		return nil, fmt.Errorf("there is no benchmark on standard input")
	}
	return r, scanner.Err()
}

func parse(values string) sample {
	s := sample{}
	fields := strings.Fields(values)
	for i := 0; i+1 < len(fields); i += 2 {
		if v, err := strconv.ParseFloat(fields[i], 64); err == nil {
			s[fields[i+1]] = v
		}
	}
	return s
}

func (r *results) add(suite, name string, round int, s sample) {
	if r.samples[suite] == nil {
		r.samples[suite] = map[string]map[int]sample{}
	}
	if r.samples[suite][name] == nil {
		r.samples[suite][name] = map[int]sample{}
		r.order[suite] = append(r.order[suite], name)
	}
	r.samples[suite][name][round] = s
}

// keepQuiet drops the disturbed rounds, if enough others are left, and returns
// how many count.
func (r *results) keepQuiet(most float64) int {
	disturbed := func(_ int, share float64) bool { return share > most }
	loud := maps.Clone(r.others)
	maps.DeleteFunc(loud, func(n int, share float64) bool { return !disturbed(n, share) })
	if len(r.others)-len(loud) < enough {
		return len(r.others)
	}
	for round := range loud {
		delete(r.others, round)
		for _, suite := range r.samples {
			for _, rounds := range suite {
				delete(rounds, round)
			}
		}
	}
	return len(r.others)
}

// summary is one figure of every contestant in every suite, as a ratio to the floor.
func (r *results) summary(title, unit, floorName string) {
	var names []string
	for _, s := range suites {
		for _, name := range r.order[s.name] {
			if !slices.Contains(names, name) && r.samples[s.name][floorName] != nil {
				names = append(names, name)
			}
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	fmt.Printf("\n### %s, ratio to `%s`\n\n| suite | %s |\n| ---%s |\n", title, floorName, strings.Join(names, " | "), strings.Repeat(" | ---:", len(names)))
	for _, s := range suites {
		floor := r.samples[s.name][floorName]
		if floor == nil {
			continue
		}
		fmt.Printf("| %s |", s.name)
		for _, name := range names {
			fmt.Printf(" %s |", ratio(r.samples[s.name][name], floor, unit))
		}
		fmt.Println()
	}
}

// rank sorts the SDK's own contestants and the floors before the peers.
func rank(name string) int {
	switch {
	case strings.HasPrefix(name, "mid"):
		return 0
	case strings.HasPrefix(name, "raw"):
		return 1
	default:
		return 2
	}
}

func (r *results) table(suite, title, floorName string) {
	if r.samples[suite] == nil {
		return
	}
	fmt.Printf("\n### %s\n\n", title)
	fmt.Println("| contestant | ns/op | x | cpu-ns/op | x | B/op | + | allocs/op | + |")
	fmt.Println("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
	floor := r.samples[suite][floorName]
	for _, name := range r.order[suite] {
		rounds := r.samples[suite][name]
		ns := column(rounds, "ns/op")
		fmt.Printf("| %s | %.0f ±%.0f %% | %s | %.0f | %s | %.0f | %s | %.0f | %s |\n", name,
			median(ns), 100*spread(ns)/median(ns), ratio(rounds, floor, "ns/op"),
			median(column(rounds, "cpu-ns/op")), ratio(rounds, floor, "cpu-ns/op"),
			median(column(rounds, "B/op")), more(rounds, floor, "B/op"),
			median(column(rounds, "allocs/op")), more(rounds, floor, "allocs/op"))
	}
}

func (r *results) plain(kind, title, header string) {
	if len(r.lines[kind]) == 0 {
		return
	}
	fmt.Printf("\n### %s\n\n| %s |\n| ---%s |\n", title, header, strings.Repeat(" | ---:", strings.Count(header, "|")))
	for _, fields := range r.lines[kind] {
		fmt.Printf("| %s |\n", strings.Join(fields, " | "))
	}
}

func column(rounds map[int]sample, unit string) []float64 {
	var values []float64
	for _, s := range rounds {
		if v, ok := s[unit]; ok {
			values = append(values, v)
		}
	}
	return values
}

func ratio(rounds, floor map[int]sample, unit string) string {
	var ratios []float64
	for n, s := range rounds {
		if f := floor[n][unit]; f > 0 {
			ratios = append(ratios, s[unit]/f)
		}
	}
	if len(ratios) == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f ±%.2f", median(ratios), spread(ratios))
}

func more(rounds, floor map[int]sample, unit string) string {
	if len(floor) == 0 {
		return ""
	}
	return fmt.Sprintf("%+.0f", median(column(rounds, unit))-median(column(floor, unit)))
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// spread is half the interquartile range.
func spread(values []float64) float64 { return (quantile(values, 0.75) - quantile(values, 0.25)) / 2 }

func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := q * float64(len(sorted)-1)
	low := int(at)
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (at-float64(low))*(sorted[high]-sorted[low])
}
