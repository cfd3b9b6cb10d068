package e2e_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/mail"
	"net/url"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	contractfile "github.com/mobid-io/mid-go/internal/contract"
)

// contract validates exchanges with kin-openapi.
type contract struct {
	doc    *openapi3.T
	router routers.Router
}

// exchange is a request and its answer as they were on the wire.
type exchange struct {
	method         string
	url            *url.URL
	header         http.Header
	body           []byte
	status         int
	answerHeader   http.Header
	answer         []byte
	badReq, badAns error // what the contract has against them
}

// loadContract reads the embedded file once.
var loadContract = sync.OnceValues(func() (*contract, error) {
	for _, mediaType := range []string{"image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf"} {
		openapi3filter.RegisterBodyDecoder(mediaType, openapi3filter.FileBodyDecoder)
	}
	doc, err := openapi3.NewLoader().LoadFromData(contractfile.OpenAPI)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	doc.Servers = openapi3.Servers{{URL: "/v1"}} // on whatever host
	makeStrict(doc)
	router, err := gorillamux.NewRouter(doc)
	return &contract{doc, router}, err
})

// formats are those that kin-openapi does not know by itself.
var formats = openapi3.WithStringFormatValidators(map[string]openapi3.StringFormatValidator{
	"uri":   openapi3.NewCallbackValidator(absoluteURL),
	"email": openapi3.NewCallbackValidator(address),
})

func absoluteURL(s string) error {
	if u, err := url.Parse(s); err != nil || !u.IsAbs() || u.Host == "" {
		return errors.New("not an absolute URL")
	}
	return nil
}

func address(s string) error {
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
		return errors.New("not a plain e-mail address")
	}
	return nil
}

// makeStrict asks for more than OpenAPI would: no member that the contract does
// not declare, and rate limit headers on every answer, as they are published.
func makeStrict(doc *openapi3.T) {
	for _, header := range doc.Components.Headers {
		header.Value.Required = true
	}
	for _, schema := range doc.Components.Schemas {
		closeObjects(schema)
	}
}

func closeObjects(ref *openapi3.SchemaRef) {
	if ref == nil || ref.Value == nil {
		return
	}
	s := ref.Value
	if len(s.Properties) > 0 {
		s.AdditionalProperties.Has = new(false)
	}
	for _, property := range s.Properties {
		if property.Ref == "" {
			closeObjects(property)
		}
	}
	if s.Items != nil && s.Items.Ref == "" {
		closeObjects(s.Items)
	}
}

func (c *contract) options() *openapi3filter.Options {
	return &openapi3filter.Options{
		AuthenticationFunc:                bearer,
		IncludeResponseStatus:             true,
		RejectWhenRequestBodyNotSpecified: true,
		SkipSettingDefaults:               true,
		SchemaValidationOptions:           []openapi3.SchemaValidationOption{formats},
	}
}

func bearer(_ context.Context, in *openapi3filter.AuthenticationInput) error {
	scheme, token, _ := strings.Cut(in.RequestValidationInput.Request.Header.Get("Authorization"), " ")
	if in.SecurityScheme.Scheme != "bearer" || scheme != "Bearer" || token == "" {
		return errors.New("the bearer token is missing")
	}
	return nil
}

// input is the request of an exchange and the operation that it is for.
func (c *contract) input(x *exchange) (*openapi3filter.RequestValidationInput, error) {
	req := &http.Request{
		Method:        x.method,
		URL:           x.url,
		Header:        x.header.Clone(),
		Body:          io.NopCloser(bytes.NewReader(x.body)),
		ContentLength: int64(len(x.body)),
	}
	if len(x.body) == 0 {
		req.Body = http.NoBody
	}
	route, params, err := c.router.FindRoute(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", x.method, x.url.Path, err)
	}
	return &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route, Options: c.options()}, nil
}

// request tells what the contract has against the request of an exchange.
func (c *contract) request(x *exchange) error {
	in, err := c.input(x)
	if err != nil {
		return err
	}
	if err := openapi3filter.ValidateRequest(context.Background(), in); err != nil {
		return err
	}
	return undeclared(in)
}

// undeclared finds what kin-openapi lets pass: query parameters, and headers of
// the contract, on operations that do not have them.
func undeclared(in *openapi3filter.RequestValidationInput) error {
	operation := in.Route.Operation
	for name := range in.Request.URL.Query() {
		if operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			return fmt.Errorf("query parameter %q is not declared", name)
		}
	}
	const key = "Idempotency-Key"
	if in.Request.Header.Get(key) != "" && operation.Parameters.GetByInAndName(openapi3.ParameterInHeader, key) == nil {
		return fmt.Errorf("%s takes no %s", operation.OperationID, key)
	}
	if operation.Security != nil && len(*operation.Security) == 0 && in.Request.Header.Get("Authorization") != "" {
		return fmt.Errorf("%s takes no token", operation.OperationID)
	}
	return nil
}

// response tells what the contract has against the answer of an exchange. One
// to a request for no operation must have the form of any operation's error.
func (c *contract) response(x *exchange) error {
	if x.status/100 == 3 {
		return fmt.Errorf("status %d is not declared", x.status) // kin-openapi passes redirects
	}
	in, err := c.input(x)
	if err != nil {
		if x.status/100 != 4 {
			return fmt.Errorf("status %d for a request that is not in the contract", x.status)
		}
		path := c.doc.Paths.Value("/auth/verify")
		in = &openapi3filter.RequestValidationInput{
			Request: &http.Request{Method: http.MethodPost, URL: x.url},
			Route:   &routers.Route{Spec: c.doc, PathItem: path, Operation: path.Post},
		}
	}
	return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: in,
		Status:                 x.status,
		Header:                 x.answerHeader,
		Body:                   io.NopCloser(bytes.NewReader(x.answer)),
		Options:                c.options(),
	})
}

// operation names what the exchange was for; "" if it is not in the contract.
func (c *contract) operation(x *exchange) string {
	in, err := c.input(x)
	if err != nil {
		return ""
	}
	return in.Route.Operation.OperationID
}
