package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/mobid-io/mid-go/midtest"
)

// demo plays MID and prints the telemetry as people like to read it. It is for a
// first look: delete this file in a copy, and give setTelemetry the exporters of
// your collector.
func demo(ctx context.Context, stdout io.Writer) error {
	srv := midtest.NewServer(midtest.WithAutoComplete(400 * time.Millisecond))
	defer srv.Close()
	// The client's own retries get over it.
	srv.Inject(midtest.Fault{Method: http.MethodPost, Path: "/auth/sessions", Status: http.StatusServiceUnavailable})
	return observe(ctx, srv, stdout)
}

func observe(ctx context.Context, srv *midtest.Server, stdout io.Writer) error {
	w := &syncWriter{w: stdout} // log, traces and metrics come from goroutines of their own
	shutdown := setTelemetry(&spanPrinter{w: w}, metricPrinter{w})
	logger := slog.New(traced{slog.NewTextHandler(w, &slog.HandlerOptions{ReplaceAttr: brief})})
	client, err := newClient(srv.ClientID, srv.ClientSecret, srv.URL, logger)
	if err == nil {
		err = signIn(ctx, client, logger)
	}
	// What was gathered is worth printing after a failure above all.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, shutdown(last))
}

// shortID is how much of a trace's id is enough to tell a few traces apart.
const shortID = 8

// spanPrinter is an exporter that draws traces as trees. It keeps them until
// it is shut down, as children end before their parents: good for a short run.
type spanPrinter struct {
	w     io.Writer
	spans []sdktrace.ReadOnlySpan
}

func (p *spanPrinter) ExportSpans(_ context.Context, spans []sdktrace.ReadOnlySpan) error {
	p.spans = append(p.spans, spans...)
	return nil
}

func (p *spanPrinter) Shutdown(context.Context) error {
	children := make(map[trace.SpanID][]sdktrace.ReadOnlySpan)
	slices.SortFunc(p.spans, func(a, b sdktrace.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
	for _, s := range p.spans {
		children[s.Parent().SpanID()] = append(children[s.Parent().SpanID()], s)
	}
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	for _, root := range children[trace.SpanID{}] {
		fmt.Fprintf(table, "\ntrace %s\n", root.SpanContext().TraceID().String()[:shortID])
		tree := tree{table, children, root.StartTime()}
		tree.print(root, "", "")
	}
	return flush(p.w, table, &b)
}

type tree struct {
	w        io.Writer
	children map[trace.SpanID][]sdktrace.ReadOnlySpan
	start    time.Time
}

// print prints a span after the prefix first, and all below it after rest.
func (t tree) print(s sdktrace.ReadOnlySpan, first, rest string) {
	_, _ = fmt.Fprintf(t.w, "%s%s\tat %s\tfor %s\t%s\n", first, s.Name(),
		milliseconds(s.StartTime().Sub(t.start)), milliseconds(s.EndTime().Sub(s.StartTime())), describe(s))
	below := t.children[s.SpanContext().SpanID()]
	for i, child := range below {
		if i < len(below)-1 {
			t.print(child, rest+"├─ ", rest+"│  ")
		} else {
			t.print(child, rest+"└─ ", rest+"   ")
		}
	}
}

// describe picks the attributes that matter here.
func describe(s sdktrace.ReadOnlySpan) string {
	words := []string{strings.ToLower(s.SpanKind().String())}
	for _, a := range s.Attributes() {
		switch a.Key {
		case "http.response.status_code":
			words = append(words, a.Value.String())
		case "mid.attempts", "mid.request_id", "http.request.resend_count":
			words = append(words, string(a.Key)+"="+a.Value.String())
		}
	}
	if n := len(s.Links()); n > 0 {
		words = append(words, fmt.Sprintf("links=%d", n))
	}
	if s.Status().Description != "" {
		words = append(words, s.Status().Description)
	}
	return strings.Join(words, "  ")
}

// metricPrinter is an exporter that prints metrics as a table.
type metricPrinter struct{ w io.Writer }

func (p metricPrinter) Export(_ context.Context, rm *metricdata.ResourceMetrics) error {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintf(table, "\nmetrics\n")
	for _, scope := range rm.ScopeMetrics {
		for _, m := range scope.Metrics {
			for _, row := range rows(m) {
				fmt.Fprintf(table, "%s\t%s\t%s\n", m.Name, row[0], row[1])
			}
		}
	}
	return flush(p.w, table, &b)
}

// rows are the points of a metric: what each is about, and its value.
func rows(m metricdata.Metrics) [][2]string {
	var all [][2]string
	switch data := m.Data.(type) {
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			mean := time.Duration(p.Sum / float64(p.Count) * float64(time.Second))
			all = append(all, [2]string{about(p.Attributes), fmt.Sprintf("count %d, mean %s", p.Count, milliseconds(mean))})
		}
	case metricdata.Histogram[int64]:
		for _, p := range data.DataPoints {
			all = append(all, [2]string{about(p.Attributes), fmt.Sprintf("count %d, sum %d", p.Count, p.Sum)})
		}
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			all = append(all, [2]string{about(p.Attributes), strconv.FormatInt(p.Value, 10)})
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			all = append(all, [2]string{about(p.Attributes), strconv.FormatInt(p.Value, 10)})
		}
	}
	slices.SortFunc(all, func(a, b [2]string) int { return cmp.Compare(a[0], b[0]) })
	return all
}

// about is what the points of a metric differ in here.
func about(set attribute.Set) string {
	var words []string
	for _, key := range []attribute.Key{"http.request.method", "url.template", "mid.operation", "http.response.status_code"} {
		if value, ok := set.Value(key); ok {
			words = append(words, value.String())
		}
	}
	return strings.Join(words, " ")
}

func (metricPrinter) Temporality(k sdkmetric.InstrumentKind) metricdata.Temporality {
	return sdkmetric.DefaultTemporalitySelector(k)
}

func (metricPrinter) Aggregation(k sdkmetric.InstrumentKind) sdkmetric.Aggregation {
	return sdkmetric.DefaultAggregationSelector(k)
}

func (metricPrinter) ForceFlush(context.Context) error { return nil }

func (metricPrinter) Shutdown(context.Context) error { return nil }

// flush writes a table at once, so that no log line gets in between.
func flush(w io.Writer, table *tabwriter.Writer, b *strings.Builder) error {
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.1f ms", d.Seconds()*1e3) }

// brief is for lines that a person reads on a terminal.
func brief(groups []string, a slog.Attr) slog.Attr {
	switch {
	case len(groups) == 0 && a.Key == slog.TimeKey:
		return slog.Attr{}
	case a.Key == "trace_id":
		return slog.String(a.Key, a.Value.String()[:shortID])
	case a.Value.Kind() == slog.KindDuration:
		return slog.Duration(a.Key, a.Value.Duration().Round(10*time.Microsecond))
	}
	return a
}

type syncWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (s *syncWriter) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.w.Write(p)
}
