// The smallest program there is.
package main

func main() { println("hi") }
