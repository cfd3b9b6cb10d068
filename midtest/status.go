package midtest

import "strconv"

// statusText is a status for people; zero means that there was no answer.
func statusText(status int) string {
	if status == 0 {
		return "no answer"
	}
	return strconv.Itoa(status)
}
