package main

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/mobid-io/mid-go"
)

// doctor asks one account. It asks through the SDK, so that what it finds is
// what an application will find.
type doctor struct {
	options []mid.Option
	wire    recorder
	names   mid.FieldNames // in which requests were understood so far
	clients map[mid.FieldNames]*mid.Client
	diagnosis
}

func newDoctor(options ...mid.Option) *doctor {
	d := &doctor{clients: map[mid.FieldNames]*mid.Client{}}
	d.options = append(slices.Clone(options),
		mid.WithAppInfo("mid-doctor", mid.Version),
		mid.WithMiddleware(d.wire.middleware),
		mid.WithRetry(mid.RetryPolicy{MaxRetries: 2, MaxWait: 2 * time.Second, MaxRetryAfter: time.Minute}))
	return d
}

// client returns the client that spells names in one way. An error is one of
// the environment's or of an option's.
func (d *doctor) client(names mid.FieldNames) (*mid.Client, error) {
	if c := d.clients[names]; c != nil {
		return c, nil
	}
	c, err := mid.NewClientFromEnv(append(d.options, mid.WithFieldNames(names))...)
	if err == nil {
		d.clients[names] = c
	}
	return c, err
}

// call is a call of the SDK's.
type call[T any] func(c *mid.Client, opts ...mid.RequestOption) (*T, error)

// ask makes a call and says what came of it. The result is nil if it failed.
func ask[T any](d *doctor, name string, s *schema, do call[T]) (*T, check, error) {
	c := check{Name: name}
	result, response, err := try(d, d.names, do)
	if errors.Is(err, mid.ErrInvalidRequest) {
		// The account may know the names of the request in the other spelling only.
		other := mid.CamelCase - d.names
		if again, itsResponse, itsErr := try(d, other, do); itsErr == nil || verdictOf(itsErr) == unreadable {
			result, response, err, d.names = again, itsResponse, itsErr, other
		}
	}
	if d.names == mid.CamelCase && !strings.HasSuffix(name, ".get") {
		c.Sent = "camelCase"
	}
	if err != nil {
		c.Verdict, c.Text = verdictOf(err), explain(err)
	}
	if err == nil || c.Verdict == unreadable {
		answer, _ := d.wire.operation(name)
		c.success(answer.body)
		if response.Data != nil {
			c.Fields = append(c.Fields, compare(s, response.Data, valueOf(result))...)
		}
	}
	c.finish()
	return result, c, err
}

func try[T any](d *doctor, names mid.FieldNames, do call[T]) (result *T, r mid.Response, err error) {
	client, err := d.client(names)
	if err != nil {
		return nil, r, err
	}
	result, err = do(client, mid.WithResponse(&r))
	return result, r, err
}

// valueOf is the zero Value for a nil result.
func valueOf[T any](result *T) reflect.Value { return reflect.ValueOf(result).Elem() }

// must adds the check of a call that others need the result of. ok is false if
// there is no result.
func must[T any](d *doctor, name string, s *schema, do call[T]) (result *T, ok bool) {
	result, c, err := ask(d, name, s, do)
	d.add(c)
	return result, err == nil
}

// finish judges a check by its fields, and says that all is well if so.
func (c *check) finish() {
	if c.Verdict == "" {
		c.Verdict = asContract
	}
	c.judge()
}

// skip notes what is not asked, and why.
func (d *doctor) skip(why string, names ...string) {
	for _, name := range names {
		d.add(check{Name: name, Verdict: notAsked, Text: why})
	}
}
