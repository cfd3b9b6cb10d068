// Package browser holds the tests of the programs with web pages, the weblogin
// example and mid-mock, in a real browser: Chromium, driven by chromedp. The
// programs are built and started as their users start them, the QR codes are
// read from screenshots, buttons are pressed with the mouse, and whatever a page
// wrote to the console or asked of another host fails its test.
//
// Chromium and, for the accessibility tests, npm have to be there. A test that
// misses one is skipped and says how to install it; with MID_E2E=required in the
// environment it fails instead. With MID_E2E_SCREENSHOTS set to a folder, the
// accessibility tests leave a picture there of each page that they checked.
package browser
