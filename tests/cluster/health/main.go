// Command health says what those who deploy from Git make of an object: kstatus (Flux, kapp, kpt), or a
// health check in Lua (Argo CD). It reads the object as JSON from standard input.
//
//	health kstatus
//	health lua FILE
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/cli-utils/pkg/kstatus/status"
)

func main() {
	verdict, err := run(os.Args[1:], os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "health:", err)
		os.Exit(1)
	}
	fmt.Println(verdict)
}

func run(args []string, in io.Reader) (string, error) {
	text, err := io.ReadAll(in)
	if err != nil {
		return "", err
	}
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(text); err != nil {
		return "", err
	}
	switch {
	case len(args) == 1 && args[0] == "kstatus":
		result, err := status.Compute(object)
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("%s: %s", result.Status, result.Message), nil
	case len(args) == 2 && args[0] == "lua":
		script, err := os.ReadFile(args[1])
		if err != nil {
			return "", err
		}
		return check(string(script), object.Object)
	}
	return "", errors.New("health kstatus | lua FILE")
}

// check runs a script as Argo CD does: with these libraries and no others, for a second at most.
func check(script string, object map[string]any) (string, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage,
		lua.BaseLibName: lua.OpenBase,
		lua.TabLibName:  lua.OpenTable,
	} {
		call := lua.P{Fn: state.NewFunction(open), Protect: true}
		if err := state.CallByParam(call, lua.LString(name)); err != nil {
			return "", err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	state.SetContext(ctx)
	state.SetGlobal("obj", value(state, object))
	if err := state.DoString(script); err != nil {
		return "", err
	}
	verdict, ok := state.Get(-1).(*lua.LTable)
	if !ok {
		return "", fmt.Errorf("the script returns no table, but %s", state.Get(-1).Type())
	}
	return fmt.Sprintf("%s: %s", text(verdict, "status"), text(verdict, "message")), nil
}

func text(table *lua.LTable, name string) string {
	if text, ok := table.RawGetString(name).(lua.LString); ok {
		return string(text)
	}
	return ""
}

func value(state *lua.LState, of any) lua.LValue {
	switch of := of.(type) {
	case bool:
		return lua.LBool(of)
	case string:
		return lua.LString(of)
	case int64:
		return lua.LNumber(of)
	case float64:
		return lua.LNumber(of)
	case json.Number:
		return lua.LString(of)
	case []any:
		list := state.CreateTable(len(of), 0)
		for _, member := range of {
			list.Append(value(state, member))
		}
		return list
	case map[string]any:
		table := state.CreateTable(0, len(of))
		for name, member := range of {
			table.RawSetH(lua.LString(name), value(state, member))
		}
		return table
	}
	return lua.LNil
}
