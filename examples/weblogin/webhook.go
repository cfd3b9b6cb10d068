package main

import (
	"net/http"

	"github.com/mobid-io/mid-go"
)

// webhookPath is where MID's events arrive: WEBLOGIN_CALLBACK_URL is the public
// address of it.
const webhookPath = "/webhooks/mid"

// webhook receives MID's events. An event only wakes the poller of its flow,
// which then asks MID itself: signing anybody in on an event's word would trust
// the network more than need be, and polling finds what no event told.
func (a *app) webhook() http.Handler { return a.client.Webhooks.Handler(mid.EventHandlers{}) }
