package midweb

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mobid-io/mid-go"
)

// english is the default language, and what a text that a language lacks is
// taken from.
const english = "en"

// The texts of the page, by language and key. Config.Texts replaces them one by
// one. "dir" is rtl for languages that are written from right to left.
var builtin = map[string]map[string]string{
	english: {
		"dir":             "ltr",
		"heading":         "Sign in with your phone",
		"start_text":      "There is no password to remember, and none to lose.",
		"start_button":    "Show the sign-in code",
		"start_hint":      "You need the MID app on your phone.",
		"step_open":       "Open the MID app on your phone.",
		"step_scan":       "Scan the code on this page.",
		"step_approve":    "Check the request and approve it.",
		"warning":         "Did someone send you this code, or a link to it? Then stop: approving it would sign them in as you. Approve only what you began yourself, in this browser.",
		"refresh_note":    "This page looks for news every few seconds.",
		"refresh_link":    "Look now",
		"waiting_title":   "Sign in",
		"waiting_heading": "Sign-in code",
		"waiting_scan":    "On another device? Scan this code.",
		"waiting_alt":     "QR code for the MID app",
		"waiting_left":    "Time left:",
		"waiting_here":    "On your phone already?",
		"waiting_open":    "Open the MID app",
		"waiting_renewed": "Here is a new code.",
		"number":          "Your phone must show this number. Decline if it shows another:",
		"scanned_title":   "Approve on your phone",
		"scanned_heading": "Now look at your phone",
		"scanned_text":    "Approve the request there, if it names this site. This page goes on by itself.",
		"scanned_say":     "The code was scanned. Approve the sign-in on your phone.",
		"approved_title":  "Approved",
		"approved_text":   "Signing you in…",
		"approved_say":    "Approved. You are being signed in.",
		"rejected_title":  "Declined on the phone",
		"rejected_text":   "No one was signed in. Changed your mind? Try again with a new code.",
		"rejected_say":    "The sign-in was declined on the phone.",
		"expired_title":   "This code has expired",
		"expired_text":    "Codes are good for a few minutes only, so that an old one can't be misused.",
		"expired_say":     "The code has expired.",
		"failed_title":    "That did not work",
		"failed_text":     "The answer from your phone did not reach us. Please try again.",
		"failed_say":      "The sign-in could not be completed.",
		"new_code":        "Get a new code",
		"busy_title":      "One moment, please",
		"busy_text":       "There is a lot going on right now. Your turn comes soon: this page tries again by itself.",
		"problem_title":   "Signing in is not possible right now",
		"problem_text":    "Nothing is wrong with your phone or your account. Please try again in a moment.",
		"try_again":       "Try again",
	},
	"de": {
		"heading":         "Mit dem Telefon anmelden",
		"start_text":      "Ohne Passwort, das man sich merken muss oder das verloren gehen kann.",
		"start_button":    "Anmelde-Code anzeigen",
		"start_hint":      "Sie brauchen dazu die MID-App auf Ihrem Telefon.",
		"step_open":       "Öffnen Sie die MID-App auf Ihrem Telefon.",
		"step_scan":       "Scannen Sie den Code auf dieser Seite.",
		"step_approve":    "Prüfen Sie die Anfrage und bestätigen Sie sie.",
		"warning":         "Hat Ihnen jemand diesen Code oder einen Link dazu geschickt? Dann brechen Sie ab: Mit Ihrer Bestätigung würde er sich als Sie anmelden. Bestätigen Sie nur, was Sie selbst in diesem Browser begonnen haben.",
		"refresh_note":    "Diese Seite sieht alle paar Sekunden nach.",
		"refresh_link":    "Jetzt nachsehen",
		"waiting_title":   "Anmelden",
		"waiting_heading": "Anmelde-Code",
		"waiting_scan":    "Auf einem anderen Gerät? Scannen Sie diesen Code.",
		"waiting_alt":     "QR-Code für die MID-App",
		"waiting_left":    "Noch gültig:",
		"waiting_here":    "Schon auf dem Telefon?",
		"waiting_open":    "MID-App öffnen",
		"waiting_renewed": "Hier ist ein neuer Code.",
		"number":          "Ihr Telefon muss diese Zahl zeigen. Lehnen Sie ab, wenn es eine andere ist:",
		"scanned_title":   "Auf dem Telefon bestätigen",
		"scanned_heading": "Sehen Sie jetzt auf Ihr Telefon",
		"scanned_text":    "Bestätigen Sie dort die Anfrage, wenn sie diese Website nennt. Diese Seite geht von selbst weiter.",
		"scanned_say":     "Der Code wurde gescannt. Bestätigen Sie die Anmeldung auf Ihrem Telefon.",
		"approved_title":  "Bestätigt",
		"approved_text":   "Sie werden angemeldet …",
		"approved_say":    "Bestätigt. Sie werden angemeldet.",
		"rejected_title":  "Auf dem Telefon abgelehnt",
		"rejected_text":   "Niemand wurde angemeldet. Doch anders überlegt? Versuchen Sie es mit einem neuen Code.",
		"rejected_say":    "Die Anmeldung wurde auf dem Telefon abgelehnt.",
		"expired_title":   "Dieser Code ist abgelaufen",
		"expired_text":    "Codes gelten nur wenige Minuten, damit ein alter nicht missbraucht werden kann.",
		"expired_say":     "Der Code ist abgelaufen.",
		"failed_title":    "Das hat nicht geklappt",
		"failed_text":     "Die Antwort Ihres Telefons hat uns nicht erreicht. Bitte versuchen Sie es noch einmal.",
		"failed_say":      "Die Anmeldung konnte nicht abgeschlossen werden.",
		"new_code":        "Neuen Code anfordern",
		"busy_title":      "Einen Moment, bitte",
		"busy_text":       "Gerade ist viel los. Gleich sind Sie dran: Diese Seite versucht es von selbst wieder.",
		"problem_title":   "Die Anmeldung ist gerade nicht möglich",
		"problem_text":    "Mit Ihrem Telefon und Ihrem Konto ist alles in Ordnung. Bitte versuchen Sie es gleich noch einmal.",
		"try_again":       "Noch einmal versuchen",
	},
}

// languages are the texts by lower-case language tag, each complete.
type languages map[string]map[string]string

// newLanguages lays the site's texts over the built-in ones.
func newLanguages(own map[string]map[string]string) (languages, error) {
	all := languages{}
	for tag, texts := range builtin {
		all[tag] = maps.Clone(builtin[english])
		maps.Copy(all[tag], texts)
	}
	for _, given := range slices.SortedFunc(maps.Keys(own), englishFirst) {
		tag := strings.ToLower(given)
		if all[tag] == nil {
			all[tag] = maps.Clone(all[english])
		}
		for key, text := range own[given] {
			if _, known := builtin[english][key]; !known {
				return nil, &mid.ValidationError{Field: "midweb.Config.Texts", Reason: "has a text for " + strconv.Quote(key) + ", which is not a text of the page"}
			}
			all[tag][key] = text
		}
	}
	return all, nil
}

// englishFirst has the site's own English texts stand in for other languages.
func englishFirst(a, b string) int {
	if strings.EqualFold(a, b) {
		return strings.Compare(a, b)
	}
	switch english {
	case strings.ToLower(a):
		return -1
	case strings.ToLower(b):
		return 1
	}
	return strings.Compare(a, b)
}

// choose returns the language that the header Accept-Language asks for most
// (RFC 9110, section 12.5.4), as far as there are texts, and else English.
func (l languages) choose(accept string) string {
	type choice struct {
		tag     string
		quality float64
	}
	var choices []choice
	for part := range strings.SplitSeq(accept, ",") {
		tag, parameter, _ := strings.Cut(strings.ToLower(strings.TrimSpace(part)), ";")
		quality := 1.0
		if q, ok := strings.CutPrefix(strings.TrimSpace(parameter), "q="); ok {
			var err error
			if quality, err = strconv.ParseFloat(q, 64); err != nil {
				continue
			}
		}
		if quality > 0 && len(choices) < 20 {
			choices = append(choices, choice{strings.TrimSpace(tag), quality})
		}
	}
	slices.SortStableFunc(choices, func(a, b choice) int {
		switch {
		case a.quality > b.quality:
			return -1
		case a.quality < b.quality:
			return 1
		}
		return 0
	})
	for _, c := range choices {
		base, _, _ := strings.Cut(c.tag, "-")
		for _, tag := range []string{c.tag, base} {
			if l[tag] != nil {
				return tag
			}
		}
	}
	return english
}
