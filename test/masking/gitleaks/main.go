// Writes texts that the rules of gitleaks match, one JSON object a line: {"rule", "text", "secret"}.
//
//	samples COUNT
//
// Many rules need the name of a vendor before the value. What they leave open (how the name goes on, what parts it from
// the value) is written as people write it; each text is held against the rule as it stands.
package main

import (
	"encoding/json"
	"math/rand"
	"os"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/zricethezav/gitleaks/v8/config"
)

type rule struct {
	ID          string
	Regex       string
	SecretGroup int
}

type sample struct {
	Rule   string `json:"rule"`
	Text   string `json:"text"`
	Secret string `json:"secret"`
}

const (
	operator = `[\s'"]{0,3}(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}`
	// Inside a group of its own in some rules.
	operatorApart = `[\s'"]{0,3})(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}`
	assignment    = `(?:=|="|: |: "|' => '|" := ")`
)

// Case-insensitive rules would make letters of any case; vendors do not.
var written = strings.NewReplacer(
	"(?i)", "", "(?i:", "(?:", "(?-i:", "(?:",
	`[\w.-]{0,50}?`, "",
	`(?:[ \t\w.-]{0,20})`, "(?:_api_key|_secret|_access_token|_client_secret|_token)",
	operator, assignment,
	operatorApart, ")"+assignment,
)

func main() {
	count, err := strconv.Atoi(os.Args[1])
	check(err)
	var parsed struct{ Rules []rule }
	check(toml.Unmarshal([]byte(config.DefaultConfig), &parsed))
	out := json.NewEncoder(os.Stdout)
	for _, rule := range parsed.Rules {
		if rule.Regex != "" {
			write(out, rule, count)
		}
	}
}

func write(out *json.Encoder, rule rule, count int) {
	pattern := regexp.MustCompile(rule.Regex)
	shape, err := syntax.Parse(written.Replace(rule.Regex), syntax.Perl)
	check(err)
	random := rand.New(rand.NewSource(int64(len(rule.ID))))
	for try := 0; try < count; try++ {
		var text strings.Builder
		generate(shape, random, &text)
		if match := pattern.FindStringSubmatch(text.String()); match != nil {
			check(out.Encode(sample{rule.ID, text.String(), secretOf(match, rule.SecretGroup)}))
		}
	}
}

// As gitleaks takes it: the group that the rule names, else the first that holds something, else all.
func secretOf(match []string, group int) string {
	if group > 0 {
		return match[group]
	}
	for _, part := range match[1:] {
		if part != "" {
			return part
		}
	}
	return match[0]
}

func generate(shape *syntax.Regexp, random *rand.Rand, text *strings.Builder) {
	switch shape.Op {
	case syntax.OpLiteral:
		text.WriteString(string(shape.Rune))
	case syntax.OpCharClass:
		text.WriteString(oneOf(shape.Rune, random))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		text.WriteByte(byte('a' + random.Intn(26)))
	case syntax.OpCapture, syntax.OpConcat:
		for _, part := range shape.Sub {
			generate(part, random, text)
		}
	case syntax.OpAlternate:
		generate(shape.Sub[random.Intn(len(shape.Sub))], random, text)
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		least, most := bounds(shape)
		for left := least + random.Intn(most-least+1); left > 0; left-- {
			generate(shape.Sub[0], random, text)
		}
	}
}

func bounds(shape *syntax.Regexp) (int, int) {
	switch shape.Op {
	case syntax.OpStar:
		return 0, 4
	case syntax.OpPlus:
		return 1, 5
	case syntax.OpQuest:
		return 0, 1
	}
	if shape.Max < 0 {
		return shape.Min, shape.Min + 8
	}
	return shape.Min, shape.Max
}

// One printable ASCII character of a class, or nothing where it has none.
func oneOf(class []rune, random *rand.Rand) string {
	var all []rune
	for at := 0; at < len(class); at += 2 {
		for one := max(class[at], ' '); one <= min(class[at+1], '~'); one++ {
			all = append(all, one)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return string(all[random.Intn(len(all))])
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
