!function(token,sites){
var here=document.currentScript.src.replace(/\/rum\.js[^\/]*$/,""),n=navigator,seen={};
if(!n.sendBeacon||!self.fetch||!self.PerformanceObserver)return;
function get(site){
var url=site+"/p.gif?"+Math.random().toString(36).slice(2),stop=new AbortController;
setTimeout(function(){stop.abort()},5e3);
return fetch(url,{cache:"no-store",credentials:"omit",signal:stop.signal}).then(function(r){return r.blob()}).then(function(){return url})
}
function ms(url){
var e=seen[url];
return e&&e.requestStart&&e.connectStart==e.connectEnd?(e.responseStart-e.requestStart).toFixed(2):"-"
}
function run(){
new PerformanceObserver(function(l){l.getEntries().forEach(function(e){seen[e.name]=e})}).observe({type:"resource"});
var urls=[];
sites.reduce(function(before,site){
return before.then(function(){return get(site)}).then(function(){return get(site)}).then(function(u){urls.push(u)},function(){urls.push("")})
},Promise.resolve()).then(function(){setTimeout(function(){
n.sendBeacon(here+"/report",[token].concat(urls.map(ms)).join(" "))
},200)})
}
function later(){setTimeout(run,500)}
document.readyState=="complete"?later():addEventListener("load",later)
}
