package codec

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// commandWithExt decodes a command whose ext field k has that JSON value.
func commandWithExt(t *testing.T, members string) *Command {
	t.Helper()
	lim := DefaultLimits()
	c := new(Command)
	if err := c.Decode(jsonFrame(`{"extFields":{`+members+`}}`, ""), &lim); err != nil {
		t.Fatal(err)
	}
	return c
}

// Numbers are read as Long.parseLong and Integer.parseInt read them.
func TestExtInt(t *testing.T) {
	f := func(text string, want64 int64, ok64, ok32 bool) {
		t.Helper()
		c := commandWithExt(t, `"k":`+strconv.Quote(text))
		if v, ok := c.ExtInt64("k"); v != want64 || ok != ok64 {
			t.Errorf("ExtInt64(%q) = %d, %t; want %d, %t", text, v, ok, want64, ok64)
		}
		want32 := int32(0)
		if ok32 {
			want32 = int32(want64)
		}
		if v, ok := c.ExtInt32("k"); v != want32 || ok != ok32 {
			t.Errorf("ExtInt32(%q) = %d, %t; want %d, %t", text, v, ok, want32, ok32)
		}
	}
	f("0", 0, true, true)
	f("-0", 0, true, true)
	f("+0", 0, true, true)
	f("007", 7, true, true)
	f("+7", 7, true, true)
	f("-7", -7, true, true)
	f("2147483647", 2147483647, true, true)
	f("2147483648", 2147483648, true, false)
	f("-2147483648", -2147483648, true, true)
	f("-2147483649", -2147483649, true, false)
	f("9223372036854775807", 1<<63-1, true, false)
	f("9223372036854775808", 0, false, false)
	f("-9223372036854775808", -1<<63, true, false)
	f("-9223372036854775809", 0, false, false)
	f("18446744073709551616", 0, false, false)
	f("18446744073709551617", 0, false, false)
	f("99999999999999999999999999", 0, false, false)
	f("000000000000000000000000000000000001", 1, true, true)

	for _, text := range []string{"", "-", "+", "+-7", "--7", "7-", " 7", "7 ", "7L", "0x10", "1e2", "1.0", "1_000", "true", "null", "７"} {
		f(text, 0, false, false)
	}
}

// What is absent or null has no number, no truth and no text.
func TestExtAbsent(t *testing.T) {
	c := commandWithExt(t, `"null":null,"empty":""`)
	for _, key := range []string{"null", "absent", ""} {
		if v, ok := c.Ext(key); ok || v != nil {
			t.Errorf("Ext(%q) = %q, %t", key, v, ok)
		}
		if v, ok := c.ExtInt64(key); ok || v != 0 {
			t.Errorf("ExtInt64(%q) = %d, %t", key, v, ok)
		}
		if v, ok := c.ExtInt32(key); ok || v != 0 {
			t.Errorf("ExtInt32(%q) = %d, %t", key, v, ok)
		}
		if v, ok := c.ExtBool(key); ok || v {
			t.Errorf("ExtBool(%q) = %t, %t", key, v, ok)
		}
	}
	if v, ok := c.Ext("empty"); !ok || v == nil || len(v) != 0 {
		t.Errorf("an empty value of a JSON header = %q, %t; it is present", v, ok)
	}
	if v, ok := c.ExtBool("empty"); !ok || v {
		t.Errorf("ExtBool of an empty value = %t, %t; want false, true", v, ok)
	}
}

func TestExtBool(t *testing.T) {
	f := func(value string, want bool) {
		t.Helper()
		if v, ok := commandWithExt(t, `"k":`+value).ExtBool("k"); v != want || !ok {
			t.Errorf("ExtBool(%s) = %t, %t; want %t", value, v, ok, want)
		}
	}
	f(`"true"`, true)
	f(`"TRUE"`, true)
	f(`"tRuE"`, true)
	f("true", true)
	f(`"false"`, false)
	f("false", false)
	f(`"true "`, false)
	f(`" true"`, false)
	f(`"1"`, false)
	f("1", false)
	f(`"yes"`, false)
	f(`"trues"`, false)
	f(`"tru\u0005"`, false)
}

// The last field of a name counts, be it in the array or behind it, even if it is null.
func TestExtRepeated(t *testing.T) {
	c := commandWithExt(t, `"a":"1","b":"2","a":"3","b":null`)
	if v, ok := c.Ext("a"); string(v) != "3" || !ok {
		t.Errorf("Ext(a) = %q, %t", v, ok)
	}
	if v, ok := c.Ext("b"); ok {
		t.Errorf("Ext(b) = %q, %t; the null came last", v, ok)
	}

	var members strings.Builder
	for i := range 3 * extInline {
		fmt.Fprintf(&members, `"k%d":"%d","same":"%d",`, i, i, i)
	}
	c = commandWithExt(t, members.String())
	if n := c.NumExt(); n != 6*extInline {
		t.Fatalf("NumExt = %d, want %d", n, 6*extInline)
	}
	for i := range 3 * extInline {
		if v, ok := c.ExtInt64(fmt.Sprintf("k%d", i)); !ok || v != int64(i) {
			t.Errorf("k%d = %d, %t", i, v, ok)
		}
		if key, value := c.ExtAt(2*i + 1); string(key) != "same" || string(value) != fmt.Sprint(i) {
			t.Errorf("ExtAt(%d) = %q, %q", 2*i+1, key, value)
		}
	}
	if v, ok := c.ExtInt32("same"); !ok || int(v) != 3*extInline-1 {
		t.Errorf("same = %d, %t; want the last one", v, ok)
	}
}
